"""From a line in a log to the page on somebody's phone, through Debian's own Prometheus and Alertmanager.

The seconds it takes are printed and stand in docs/alerts.md; nothing here asserts a time.
"""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from aiohttp import web
from monitoring.names import ROOT
from monitoring.policy import TELL_SOMEBODY
from monitoring.scripts import load
from monitoring.stack import agent, alertmanager, prometheus, query, until

RUNBOOKS = "https://runbooks.example/xen"
TOKEN, PERSON = "alertmanager-of-the-test", "somebody-of-the-test"
ACCESS = f"""
[hooks]
bearer = ["{TOKEN}"]
[[person]]
name = "ann"
role = "viewer"
token = "{PERSON}"
"""
HARMLESS = "Waiting for domain web (domid 5) to die [pid 2750]\n"


@dataclass
class Receiver:
    """Where Alertmanager delivers."""

    port: int = 0
    pages: list[dict[str, Any]] = field(default_factory=list)
    tickets: list[dict[str, Any]] = field(default_factory=list)
    alive: list[dict[str, Any]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        kept = {"/page": self.pages, "/ticket": self.tickets, "/alive": self.alive}[request.path]
        kept += [{**alert, "at": time.time()} for alert in (await request.json())["alerts"]]
        return web.Response()

    def page(self, alert: str) -> dict[str, Any] | None:
        return next((one for one in self.pages if one["labels"]["alertname"] == alert), None)


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    one = Receiver()
    app = web.Application()
    app.add_routes([web.post(path, one.take) for path in ("/page", "/ticket", "/alive")])
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        one.port = runner.addresses[0][1]
        yield one
    finally:
        await runner.cleanup()


def delivered_to(port: int, agent_address: str, token: Path) -> dict[str, Any]:
    """The example of alerts/alertmanager.yml with this test's addresses; it groups for a second instead of ten."""
    config: dict[str, Any] = yaml.safe_load((ROOT / "alerts/alertmanager.yml").read_text())
    for one in config["receivers"]:
        for hook in one.get("webhook_configs", ()):
            here = agent_address if "http_config" in hook else f"127.0.0.1:{port}"
            hook["url"] = f"http://{here}/" + hook["url"].split("/", 3)[3]
            if "http_config" in hook:
                hook["http_config"]["authorization"]["credentials_file"] = str(token)
    config["route"]["group_wait"] = "1s"
    return config


@dataclass
class Host:
    """All that runs."""

    address: str
    logs: Path
    prometheus: str
    receiver: Receiver

    def append(self, name: str, line: str) -> float:
        """When it was written."""
        with (self.logs / name).open("a") as log:
            log.write(line)
        return time.time()

    async def incident(self, rule: str) -> float:
        """When /metrics shows it: here our part ends."""
        async with aiohttp.ClientSession(f"http://{self.address}") as http:

            async def shown() -> bool:
                async with http.get("/metrics") as answer:
                    return f'xenwatch_incident_open{{class="{rule}"' in await answer.text()

            await until(shown, every=0.005)
        return time.time()


@asynccontextmanager
async def everything(folder: Path) -> AsyncIterator[Host]:
    async with AsyncExitStack() as stack:
        there = await stack.enter_async_context(receiver())
        for name, text in (("token", TOKEN), ("policy.toml", TELL_SOMEBODY), ("access.toml", ACCESS)):
            (folder / name).write_text(text)
            (folder / name).chmod(0o600)
        allowed = f'[remediation]\npolicy = "{folder}/policy.toml"\naccess = "{folder}/access.toml"\n'
        rules = folder / "alerts"
        load(ROOT / "alerts/build.py").main(["--base", RUNBOOKS, "--to", str(rules)])
        address, logs = await stack.enter_async_context(agent(folder, allowed))
        port = await stack.enter_async_context(
            alertmanager(folder, delivered_to(there.port, address, folder / "token"))
        )
        url = await stack.enter_async_context(
            prometheus(folder, {"xenwatch": [address]}, rules=rules, alertmanager=port)
        )

        async def alerting_works() -> bool:
            return bool(there.alive) and bool(await query(url, "xenwatch_build_info"))

        await until(alerting_works)
        yield Host(address, logs, url, there)


async def test_a_line_in_a_log_becomes_a_page_with_cause_evidence_and_runbook(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    async with everything(tmp_path) as host:
        host.append("xl-web.log", HARMLESS)
        stamp = datetime.now().strftime("%b %e %H:%M:%S")  # noqa: DTZ005 - syslog writes local time
        written = host.append(
            "kern.log", f"{stamp} dom0 kernel: [812.1] md/raid1:md0: Disk failure on sdb1, disabling device.\n"
        )
        known = await host.incident("raid-degraded")

        async def paged() -> dict[str, Any] | None:
            return host.receiver.page("XenIncidentCritical")

        page = await until(paged)
        words, labels = page["annotations"], page["labels"]
        assert labels["rule"] == "raid-degraded"
        assert labels["severity"] == "critical"
        assert "A disk of the array failed" in words["description"]
        assert words["evidence"].startswith(f"{host.logs}/kern.log:1: ")
        assert words["evidence"].endswith("Disk failure on sdb1, disabling device.")
        assert words["runbook_url"] == f"{RUNBOOKS}/docs/failures/raid-degraded.md"
        async with aiohttp.ClientSession() as http, http.get(words["incident_url"]) as answer:
            assert "/rules/raid-degraded" in await answer.text()

        async def proposed() -> list[dict[str, Any]]:
            headers = {"Authorization": f"Bearer {PERSON}"}
            async with (
                aiohttp.ClientSession(f"http://{host.address}", headers=headers) as http,
                http.get("/api/v1/remediation/runs") as answer,
            ):
                return [run for run in (await answer.json())["runs"] if run["rule"] == "tell-somebody"]

        [run] = await until(proposed)
        assert (run["state"], run["action"]) == ("awaiting_approval", "notify")
        assert {one["labels"]["alertname"] for one in host.receiver.pages} == {"XenIncidentCritical"}
        with capsys.disabled():
            print(  # noqa: T201 - the measurement
                f"\nline to incident in /metrics {known - written:.2f} s (ours), "
                f"to the page {page['at'] - written:.2f} s with 1 s scrapes, 1 s evaluations, 1 s grouping"
            )


async def test_a_failure_of_one_guest_is_a_ticket_and_pages_nobody(tmp_path: Path):
    async with everything(tmp_path) as host:
        host.append(
            "xl-web.log",
            "libxl: error: libxl_device.c:1351:device_hotplug_child_death_cb: "
            "script: Could not find bridge device xenbr7\n",
        )
        await host.incident("vif-bridge-missing")

        async def ticket() -> list[dict[str, Any]]:
            return [one for one in host.receiver.tickets if one["labels"]["alertname"] == "XenIncident"]

        [one, *_] = await until(ticket)
        assert one["labels"]["domain"] == "web"
        assert "xenbr7" in one["annotations"]["description"]
        assert host.receiver.pages == []
