"""What the template for Zabbix takes out of the answers of a running agent is there."""

import re
from pathlib import Path
from typing import Any

import yaml

TEMPLATE = yaml.safe_load((Path(__file__).parents[3] / "packaging/zabbix/xenwatch.yaml").read_text())
BRIDGE = (
    "libxl: error: libxl_device.c:1351:device_hotplug_child_death_cb: script: Could not find bridge device xenbr7\n"
)


def fetched() -> dict[str, str]:
    """The path of each item that Zabbix fetches, by its key."""
    (one,) = TEMPLATE["zabbix_export"]["templates"]
    masters = (item for item in one["items"] if item["type"] == "HTTP_AGENT")
    return {item["key"]: item["url"].removeprefix("{$XENWATCH.URL}") for item in masters}


async def test_incidents_are_counted_and_named_and_the_guests_are_discovered(bench: Any):
    async with bench.running() as run:
        await run.ready()
        bench.write("xl-web.log", BRIDGE)
        await run.until(lambda: bool(run.causes()) and run.shows_domains())
        # an empty token is sent by whoever needs none
        async with run.http.get(fetched()["xenwatch.incidents"], headers={"Authorization": "Bearer "}) as answer:
            assert answer.status == 200
            incidents = (await answer.json())["incidents"]
        metrics = await run.text(fetched()["xenwatch.metrics"])
    assert [one["title"] for one in incidents if one["severity"] == "error"]
    (one,) = TEMPLATE["zabbix_export"]["templates"]
    (guests,) = [rule for rule in one["discovery_rules"] if rule["key"] == "xenwatch.discovery[domains]"]
    names = set(re.findall(r'^xen_domain_memory_current_bytes\{domain="([^"]+)"', metrics, re.MULTILINE))
    assert names
    for item in guests["item_prototypes"]:
        pattern = item["preprocessing"][0]["parameters"][0]
        for name in names:
            assert f"\n{pattern.replace('{#DOMAIN}', name)} " in metrics
    assert "\nprocess_start_time_seconds " in metrics
