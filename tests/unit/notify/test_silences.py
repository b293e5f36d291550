"""Acknowledging an incident silences its alert in Debian's own Alertmanager, for this host alone and with an end."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from monitoring.stack import agent, alertmanager, until

from xenwatch.base.clock import SystemClock
from xenwatch.base.errors import ConfigError
from xenwatch.config.alertmanager import alertmanager_access
from xenwatch.config.integrations import AlertmanagerSettings
from xenwatch.config.loader import load_config
from xenwatch.model.diagnosis import Diagnosis
from xenwatch.model.incident import Incident, Remark
from xenwatch.model.subject import Subject
from xenwatch.notify.silences import Silences

TOLD = Diagnosis(
    rule="vif-bridge-missing", class_="vif-bridge-missing", subject=Subject("domain", "web"), severity="error",
    title="No bridge of that name", summary="no bridge xenbr7", cause="It was never made.", at=1e9,
)  # fmt: skip
OPEN = Incident("aaa111", TOLD, "open", 1e9, 1e9)
LABELS = {"alertname": "XenIncident", "rule": "vif-bridge-missing", "kind": "domain", "name": "web"}
ANNA = replace(OPEN, acknowledged_by="anna", remarks=(Remark(1e9, "anna", "acknowledged", "new disk ordered"),))
BRIDGE_MISSING = """\
libxl: error: libxl_exec.c:118:libxl_report_child_exitstatus: /etc/xen/scripts/vif-bridge online [7] exited with \
error status 1
Could not find bridge device xenbr7
"""
CONFIG = {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}


@dataclass
class Pager:
    """A real Alertmanager that holds the alert of this guest from two hosts."""

    url: str
    http: aiohttp.ClientSession

    async def silenced(self) -> list[str]:
        """The hosts with a silenced alert."""
        async with self.http.get("/api/v2/alerts?silenced=true&active=false") as answer:
            return sorted(alert["labels"]["instance"] for alert in await answer.json())

    async def silences(self) -> list[dict[str, Any]]:
        """Those in force."""
        async with self.http.get("/api/v2/silences") as answer:
            return [one for one in await answer.json() if one["status"]["state"] == "active"]


@pytest.fixture
async def pager(tmp_path: Path) -> AsyncIterator[Pager]:
    alerts = [{"labels": {**LABELS, "instance": host}} for host in ("xen1:10197", "xen2:10197")]
    async with alertmanager(tmp_path, CONFIG) as port:
        url = f"http://127.0.0.1:{port}"
        async with aiohttp.ClientSession(url) as http:
            async with http.post("/api/v2/alerts", json=alerts) as said:
                assert said.status == 200
            yield Pager(url, http)


def silences(url: str, folder: Path, clock: Any = None) -> Silences:
    settings = AlertmanagerSettings(url=url, labels=("instance=xen1:10197",))
    return Silences(alertmanager_access(settings), clock or SystemClock(), folder)


@dataclass
class Later(SystemClock):
    """The same clock, ahead by some seconds."""

    ahead: float = 0.0

    def now(self) -> float:
        return super().now() + self.ahead


async def test_acknowledging_silences_the_alert_of_this_host_alone_with_an_end_and_who_and_why(
    pager: Pager, tmp_path: Path
):
    ours = silences(pager.url, tmp_path)
    ours.changed([ANNA])
    await ours.turn()
    assert await pager.silenced() == ["xen1:10197"]
    (made,) = await pager.silences()
    assert (made["createdBy"], made["comment"]) == (
        "xenwatch: anna", "incident aaa111 is acknowledged: new disk ordered",
    )  # fmt: skip
    assert made["endsAt"] > made["startsAt"]


@pytest.mark.parametrize("ended", [OPEN, replace(ANNA, state="resolved")], ids=["taken back", "resolved"])
async def test_when_it_is_taken_back_or_over_the_silence_ends(pager: Pager, tmp_path: Path, ended: Incident):
    ours = silences(pager.url, tmp_path)
    ours.changed([ANNA])
    await ours.turn()
    ours.changed([ended])
    await ours.turn()
    assert await pager.silenced() == []
    assert await pager.silences() == []


async def test_a_restart_makes_no_second_silence_and_one_that_runs_out_is_renewed_under_its_name(
    pager: Pager, tmp_path: Path
):
    clock = Later()
    ours = silences(pager.url, tmp_path, clock)
    ours.changed([ANNA])
    await ours.turn()
    (first,) = await pager.silences()
    ours = silences(pager.url, tmp_path, clock)
    ours.changed([ANNA])
    await ours.turn()
    assert [one["id"] for one in await pager.silences()] == [first["id"]]
    clock.ahead = 4 * 3600 - 60
    await ours.turn()
    (renewed,) = await pager.silences()
    assert (renewed["id"], renewed["endsAt"] > first["endsAt"]) == (first["id"], True)


async def test_an_end_that_the_person_named_is_the_end_of_the_silence(pager: Pager, tmp_path: Path):
    ours = silences(pager.url, tmp_path)
    ours.changed([replace(ANNA, acknowledged_until=4102444800.0)])
    await ours.turn()
    assert [one["endsAt"] for one in await pager.silences()] == ["2100-01-01T00:00:00.000Z"]


async def test_nobody_is_silenced_for_an_incident_that_nobody_acknowledged(pager: Pager, tmp_path: Path):
    ours = silences(pager.url, tmp_path)
    ours.changed([OPEN])
    await ours.turn()
    assert await pager.silences() == []


async def test_an_alertmanager_that_does_not_answer_is_asked_again_later(tmp_path: Path, caplog):
    ours = silences("http://127.0.0.1:1", tmp_path)
    ours.changed([ANNA])
    await ours.turn()
    await ours.turn()  # too early to ask again
    assert len([record for record in caplog.records if "asked again later" in record.message]) == 1


async def test_acknowledging_at_a_running_agent_silences_in_alertmanager(pager: Pager, tmp_path: Path):
    access = tmp_path / "access.toml"
    access.write_text('[[person]]\nname = "ann"\nrole = "approver"\ntoken = "approver-of-the-test"\n')
    access.chmod(0o600)
    more = (
        f'[remediation]\naccess = "{access}"\n[alertmanager]\nurl = "{pager.url}"\nlabels = ["instance=xen1:10197"]\n'
    )
    async with agent(tmp_path, more) as (address, logs), aiohttp.ClientSession(f"http://{address}") as http:
        (logs / "xl-web.log").write_text(BRIDGE_MISSING)

        async def incidents() -> list[dict[str, Any]]:
            async with http.get("/api/v1/incidents?state=open") as answer:
                return (await answer.json())["incidents"]

        incident = (await until(incidents))[0]
        path, headers = (
            f"/api/v1/incidents/{incident['id']}/acknowledge",
            {"Authorization": "Bearer approver-of-the-test"},
        )
        async with http.post(path, json={"by": "ann"}, headers=headers) as said:
            assert said.status == 200, await said.text()
        (made,) = await until(pager.silences)
        matched = {m["name"]: m["value"] for m in made["matchers"]}
        assert (matched["rule"], matched["instance"]) == (incident["rule"], "xen1:10197")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[alertmanager]\nurl = "http://a:9093"\n', r"labels is needed"),
        ('[alertmanager]\nurl = "a:9093"\nlabels = ["a=b"]\n', "must begin with http"),
        ('[alertmanager]\nlabels = ["xen1"]\n', "must be a name and a value"),
    ],
)
def test_settings_that_would_silence_too_much_or_nothing_are_refused(tmp_path: Path, text: str, words: str):
    path = tmp_path / "x.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=words):
        load_config(path)
