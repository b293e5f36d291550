"""Through Debian's Prometheus and Alertmanager: hosts with one cause are one page; what is their own still pages."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from aiohttp import web
from monitoring.names import ROOT
from monitoring.scripts import load
from monitoring.stack import alertmanager, free_port, prometheus, until

from xenwatch.base.clock import SystemClock
from xenwatch.fleet.etcd import KeyValue
from xenwatch.fleet.host_report import incident_key, incident_text, self_key
from xenwatch.fleet.hub import Hub
from xenwatch.fleet.hub_web import hub_app
from xenwatch.fleet.incident import judged
from xenwatch.fleet.rule import fleet_rules
from xenwatch.model.diagnosis import Diagnosis
from xenwatch.model.incident import Incident
from xenwatch.model.subject import HOST

OPEN = 'xenwatch_incident_open{{rule="{rule}",class="{rule}",severity="{severity}",kind="host",name="dom0"}} 1\n'
NFS = OPEN.format(rule="nfs-not-responding", severity="error")
RAID = OPEN.format(rule="raid-degraded", severity="critical")


def nfs_dead() -> Incident:
    line = "nfs: server 10.0.0.9 not responding, still trying"
    fields = {"server": "10.0.0.9"}
    diagnosis = Diagnosis(
        "nfs-not-responding", "nfs-unavailable", HOST, "error", "NFS does not answer", line, "", 1.0, fields=fields
    )
    return Incident("n1", diagnosis, "open", 1.0, 1.0)


def hub_that_sees(addresses: dict[str, str]) -> Hub:
    """A hub whose view is what etcd would have told it of these hosts."""
    hub = Hub("hub1", lambda: None, fleet_rules(), SystemClock())  # type: ignore[arg-type, return-value]
    told = [KeyValue(self_key(host), f'{{"metrics": "{address}"}}', 1, 1) for host, address in addresses.items()]
    told += [KeyValue(incident_key(host, "n1"), incident_text(nfs_dead()), 2, 2) for host in addresses]
    hub.view._take_all(told)
    hub.view.fleet |= judged(fleet_rules(), list(hub.view.incidents.values()), {})
    return hub


@asynccontextmanager
async def served(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await runner.cleanup()


def metrics(text: str, told: asyncio.Event) -> web.Application:
    """A host whose incident is seen once the hub's is; which of two scrapes comes first is chance."""

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text=text if told.is_set() else "")

    app = web.Application()
    app.add_routes([web.get("/metrics", answer)])
    return app


def sample(receiver: str) -> dict[str, Any]:
    """alerts/alertmanager.yml with this test's address and shorter waits."""
    config: dict[str, Any] = yaml.safe_load((ROOT / "alerts/alertmanager.yml").read_text())
    for one in config["receivers"]:
        one["webhook_configs"] = [{"url": f"http://{receiver}/{one['name']}"}]
    config["route"]["group_wait"] = "1s"
    for route in config["route"]["routes"]:
        for waiting in route.get("routes", ()):
            waiting["group_wait"] = "3s"
    return config


async def test_three_hosts_of_one_dead_server_are_one_page_and_a_disk_of_one_of_them_is_another(tmp_path: Path):
    got: list[dict[str, Any]] = []

    async def take(request: web.Request) -> web.Response:
        alerts = (await request.json())["alerts"]
        got.extend({"to": request.match_info["who"], **alert["labels"]} for alert in alerts)
        return web.Response()

    told = asyncio.Event()
    receiver = web.Application()
    receiver.add_routes([web.post("/{who}", take)])
    rules = tmp_path / "alerts"
    load(ROOT / "alerts/build.py").main(["--base", "https://runbooks.example", "--to", str(rules)])
    async with AsyncExitStack() as stack:
        seen = [metrics(text, told) for text in (NFS + RAID, NFS, NFS)]
        hosts = {f"xen{n}": await stack.enter_async_context(served(one)) for n, one in enumerate(seen, 1)}
        hub = await stack.enter_async_context(served(hub_app(hub_that_sees(hosts))))
        there = await stack.enter_async_context(served(receiver))
        port = await stack.enter_async_context(alertmanager(tmp_path, sample(there)))
        found = {"http_sd_configs": [{"url": f"http://{hub}/fleet/targets", "refresh_interval": "1s"}]}
        jobs: dict[str, Any] = {"hub": [hub], "xenwatch": found}
        await stack.enter_async_context(prometheus(tmp_path, jobs, rules=rules, alertmanager=port))

        async def children() -> bool:
            return len([one for one in await alerts(port) if one["labels"]["alertname"] == "XenFleetChild"]) == 3

        async def inhibited() -> list[dict[str, Any]]:
            quiet = [alert for alert in await alerts(port) if alert["status"]["inhibitedBy"]]
            return quiet if len(quiet) == 3 else []

        await until(children)
        told.set()
        quiet = await until(inhibited)
        assert {alert["labels"]["instance"] for alert in quiet} == set(hosts.values())
        assert {alert["labels"]["alertname"] for alert in quiet} == {"XenIncident"}
        await until(lambda: _paged(got, "XenIncidentCritical"))
        pages = {(one["alertname"], one["rule"]) for one in got if one["to"] == "pages"}
        assert pages == {("XenFleetIncident", "fleet-nfs-server-dead"), ("XenIncidentCritical", "raid-degraded")}
        assert [one for one in got if one["to"] == "tickets" and one["alertname"].startswith("XenIncident")] == []


async def alerts(port: int) -> list[dict[str, Any]]:
    async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}/api/v2/alerts") as answer:
        found: list[dict[str, Any]] = await answer.json()
    return found


async def _paged(got: list[dict[str, Any]], alert: str) -> bool:
    """The host's own page has waited as long as the children would have."""
    return any(one["to"] == "pages" and one["alertname"] == alert for one in got)
