"""A real server on a free loopback port, showing incidents as the engine makes them."""

import re
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp
import pytest

from xenwatch.diagnosis.incidents.remarks import with_remark
from xenwatch.model.diagnosis import Diagnosis, Evidence
from xenwatch.model.fact import Fact
from xenwatch.model.incident import Incident, Remark
from xenwatch.model.record import LogFormat, LogRecord, Position, Source
from xenwatch.model.sample import Metric, Sample, Snapshot
from xenwatch.model.subject import HOST, Subject
from xenwatch.web.app import build_app, serve
from xenwatch.web.auth import User
from xenwatch.web.context import HistoryEntry, KnownFailure, PartHealth, WebContext
from xenwatch.web.exposition import Exposition
from xenwatch.web.remediation_api import RemediationSite

sys.path.insert(0, str(Path(__file__).parents[2] / "scenarios"))  # the simulated hosts of the stories

BRIDGE_MISSING = KnownFailure(
    "vif-bridge-missing", "vif-bridge-missing", "error", "No bridge", "It was never made.", "The guest is not started.",
    ("brctl show",), ("Make the bridge.",), ("Could not find bridge device %s",), aliases=("bridge-absent",),
)  # fmt: skip
PEOPLE = (User("vera", "viewer", "viewer-token-1234"), User("ann", "approver", "approver-token-12"),
          User("adam", "admin", "admin-token-12345"))  # fmt: skip
BRIDGES = Metric("xen_bridge_ports", "gauge", "Ports of a bridge.", ("bridge",))


def an_incident(name: str = "web", **changes) -> Incident:
    record = LogRecord(
        Source("/var/log/xen/xl-web.log", LogFormat("xl", "xl")), "no bridge", 1e9, True, Position("g", 0, 7)
    )
    told = Diagnosis(
        rule="vif-bridge-missing", class_="vif-bridge-missing", subject=Subject("domain", name, domid=5),
        severity="error", title="No bridge", summary=f"{name}: no bridge xenbr7", cause="it was never made", at=1e9,
        evidence=(
            Evidence(1e9, "the script said so", record),
            Evidence(1e9, "few ports", Sample(BRIDGES, ("xenbr0",), 0.0)),
            Evidence(1e9, "bridges", Fact("bridge.names", HOST, ("br0",), 1e9, "ip link")),
            Evidence(1e9, "nothing behind it"),
        ),
    )  # fmt: skip
    made = Incident(id=f"v-{name}", diagnosis=told, state="open", opened=1e9, last_seen=1e9 + 60, times_seen=3)
    return replace(made, **changes)


@dataclass
class Served:
    """The agent behind the server, as a test sets it."""

    known: dict[str, Incident] = field(default_factory=dict)
    checks: Sequence[PartHealth] = (PartHealth("logs", True, 0.5),)
    waiting: str | None = None
    exposition: Exposition = field(default_factory=lambda: Exposition(lambda _: b"own_total 1\n"))
    url: str = ""
    snapshot: Snapshot | None = None
    remediation: RemediationSite | None = None

    def know(self, *incidents: Incident) -> None:
        self.known.update((i.id, i) for i in incidents)

    def remark(self, wanted: str, remark: Remark) -> Incident | None:
        if wanted not in self.known:
            return None
        changed = with_remark(self.known[wanted], remark)
        self.known[wanted] = replace(changed, state="resolved") if remark.what == "closed" else changed
        return self.known[wanted]

    async def history(self, wanted: str) -> Sequence[HistoryEntry]:
        return [
            HistoryEntry(1e9, "opened", "no bridge"),
            *(HistoryEntry(r.at, r.what, f"{r.who}: {r.text}") for r in self.known[wanted].remarks),
        ]

    def view(self) -> WebContext:
        return WebContext(
            exposition=self.exposition, health=lambda: self.checks, ready=lambda: self.waiting,
            incidents=lambda: list(self.known.values()),
            version=lambda: len(self.known), history=self.history, remark=self.remark,
            status=lambda: {"version": 1, "rules": 3}, snapshot=lambda: self.snapshot,
            failures=lambda: (BRIDGE_MISSING,), remediation=self.remediation,
            now=lambda: 1e9 + 120,
        )  # fmt: skip


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    made = Served()
    await made.exposition.update(Snapshot(1.0, (Sample(BRIDGES, ('x"\n',), 2.0),)))
    listener, port = await serve(build_app(made.view(), loopback=True, users=PEOPLE), "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{port}"
    yield made
    await listener.close()


@pytest.fixture
def sign_in():
    """Signs a client in as vera (viewer), ann (approver) or adam (admin); the token of the session's forms."""

    async def begin(client: aiohttp.ClientSession, name: str = "ann") -> str:
        token = next(user.token for user in PEOPLE if user.name == name)
        said = {
            "token": token,
            "form_token": form_token(await (await client.get("/sign-in")).text(), "/sign-in"),
            "back": "/",
        }
        answer = await client.post("/sign-in", data=said)
        assert answer.status == 200, await answer.text()
        return form_token(await answer.text())

    return begin


def form_token(page: str, action: str = "/sign-out") -> str:
    return re.search(rf'action="{action}">\s*<input type="hidden" name="form_token" value="([^"]+)"', page)[1]


@pytest.fixture
async def client(served: Served) -> AsyncIterator[aiohttp.ClientSession]:
    jar = aiohttp.CookieJar(unsafe=True)  # keeps the cookies of an IP address
    async with aiohttp.ClientSession(served.url, cookie_jar=jar) as session:
        yield session


@pytest.fixture(name="an_incident")
def an_incident_factory():
    return an_incident
