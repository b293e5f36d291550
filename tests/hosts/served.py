"""What the pages show in tests: incidents as the engine makes them, guests as they are sampled, people with tokens."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from xenwatch.diagnosis.incidents.remarks import with_remark
from xenwatch.model.diagnosis import Diagnosis, Evidence
from xenwatch.model.fact import Fact
from xenwatch.model.incident import Incident, Remark
from xenwatch.model.operation import Operation
from xenwatch.model.record import LogFormat, LogRecord, Position, Source
from xenwatch.model.sample import Metric, Sample, Snapshot
from xenwatch.model.subject import HOST, Subject
from xenwatch.web.auth import User
from xenwatch.web.context import HistoryEntry, KnownFailure, LogTail, PartHealth, StandingCheck, WebContext
from xenwatch.web.exposition import Exposition
from xenwatch.web.remediation_api import RemediationSite
from xenwatch.web.trends import Trends

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
    trends: Trends = field(default_factory=Trends)
    pools: dict[str, Sequence[Sample]] = field(default_factory=dict)
    host: str = "xen1"
    operations: dict[str, Operation] = field(default_factory=dict)
    standing: Sequence[StandingCheck] = ()
    failures: Sequence[KnownFailure] = (BRIDGE_MISSING,)
    tails: dict[str, Sequence[LogTail]] = field(default_factory=dict)
    """The last lines of logs, by guest."""

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

    async def logs(self, guest: str) -> Sequence[LogTail]:
        return self.tails.get(guest, ())

    def view(self) -> WebContext:
        return WebContext(
            exposition=self.exposition, health=lambda: self.checks, ready=lambda: self.waiting,
            incidents=lambda: list(self.known.values()),
            version=lambda: len(self.known), history=self.history, remark=self.remark,
            status=lambda: {"version": 1, "rules": 3}, snapshot=lambda: self.snapshot, trends=self.trends.of,
            failures=lambda: self.failures, remediation=self.remediation,
            now=lambda: 1e9 + 120, pools=lambda: self.pools, host=self.host, lately=self.trends.lately,
            operation=self.operations.get, logs=self.logs, checks=lambda: self.standing,
        )  # fmt: skip


def guests_of(*names: str) -> Snapshot:
    info = Metric("xen_domain_info", "info", "", ("domain", "uuid", "domid"))
    state = Metric("xen_domain_state", "stateset", "", ("domain", "state"))
    vif = Metric("xen_domain_vif_info", "info", "", ("domain", "vif", "ifname", "mac", "bridge", "script", "type"))
    disk = Metric("xen_domain_vbd_info", "info", "", ("domain", "device", "backend", "source"))
    lv = Metric("xen_domain_vbd_backing_info", "info", "", ("domain", "device", "block_device", "vg", "lv"))
    samples = []
    for number, name in enumerate(names, 1):
        samples += [
            Sample(info, (name, f"uuid-{number}", str(number)), 1.0),
            Sample(state, (name, "running"), 1.0),
            Sample(vif, (name, "0", f"vif{number}.0", "00:16:3e:00:00:01", "xenbr0", "vif-bridge", ""), 1.0),
            Sample(disk, (name, "xvda", "0", "/dev/vg0/root"), 1.0),
            Sample(lv, (name, "xvda", "dm-3", "vg0", "root"), 1.0),
        ]
    return Snapshot(1e9, tuple(samples))
