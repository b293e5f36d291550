"""A real server on a free loopback port, showing incidents as the engine makes them."""

import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp
import pytest

from xenwatch.model.diagnosis import Diagnosis, Evidence
from xenwatch.model.fact import Fact
from xenwatch.model.incident import Incident
from xenwatch.model.record import LogFormat, LogRecord, Position, Source
from xenwatch.model.sample import Metric, Sample, Snapshot
from xenwatch.model.subject import HOST, Subject
from xenwatch.web.app import build_app, serve
from xenwatch.web.auth import User
from xenwatch.web.context import HistoryEntry, KnownFailure, PartHealth, WebContext
from xenwatch.web.exposition import Exposition

sys.path.insert(0, str(Path(__file__).parents[2] / "scenarios"))  # the simulated hosts of the stories

BRIDGE_MISSING = KnownFailure(
    "vif-bridge-missing", "vif-bridge-missing", "error", "No bridge", "It was never made.", "The guest is not started.",
    ("brctl show",), ("Make the bridge.",), ("Could not find bridge device %s",), aliases=("bridge-absent",),
)  # fmt: skip
PEOPLE = (User("vera", "viewer", "viewer-token-1234"), User("ann", "approver", "approver-token-12"))
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

    def know(self, *incidents: Incident) -> None:
        self.known.update((i.id, i) for i in incidents)

    def acknowledge(self, wanted: str, who: str) -> Incident | None:
        if wanted not in self.known:
            return None
        self.known[wanted] = replace(self.known[wanted], acknowledged_by=who)
        return self.known[wanted]

    async def history(self, _wanted: str) -> Sequence[HistoryEntry]:
        return [HistoryEntry(1e9, "opened", "no bridge")]

    def view(self) -> WebContext:
        return WebContext(
            exposition=self.exposition, health=lambda: self.checks, ready=lambda: self.waiting,
            incidents=lambda: list(self.known.values()),
            version=lambda: len(self.known), history=self.history, acknowledge=self.acknowledge,
            status=lambda: {"version": 1, "rules": 3}, snapshot=lambda: self.snapshot,
            failures=lambda: (BRIDGE_MISSING,), now=lambda: 1e9 + 120,
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
async def client(served: Served) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(served.url) as session:
        yield session


@pytest.fixture
def as_ann() -> dict[str, str]:
    """The headers of an approver."""
    return {"Authorization": "Bearer approver-token-12"}


@pytest.fixture(name="an_incident")
def an_incident_factory():
    return an_incident
