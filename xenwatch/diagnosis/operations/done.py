"""Whether an operation that failed was done again since, with success: the guest runs, is gone, or has its device."""

from xenwatch.diagnosis.operations.marks import STARTING
from xenwatch.diagnosis.operations.phases import PHASES, TEARDOWN, rank
from xenwatch.diagnosis.operations.tracker import OperationTracker
from xenwatch.model.diagnosis import Evidence
from xenwatch.model.operation import Operation
from xenwatch.model.sample import Sample, Snapshot
from xenwatch.model.subject import Subject

_ENDING = frozenset({"shutdown", "destroy"})
_LEAVING = frozenset({"save", "migrate"})
_RUNS = ("running", "blocked")
_DEVICES = {"xen_xenbus_backend_state": "devid", "xen_domain_vif_up": "vif"}
"""The label that tells the devices of a guest apart, by metric.

An attach that failed leaves its device in xenstore: a disk counts once its backend waits for the guest, which it does
not before the script has succeeded (linux: drivers/block/xen-blkback/xenbus.c), an interface once the script set it up.
"""
_INIT_WAIT, _CONNECTED = 2, 4
_Guest = tuple[str | None, str]
"""A host and the name of a guest of it."""


class DoneAgain:
    """Looks at snapshots and at later operations; `operations` are those of the logs."""

    def __init__(self, operations: OperationTracker) -> None:
        self._operations = operations
        self._domids: dict[str | None, dict[str, str]] = {}
        """By host: the guests of the last snapshot."""
        self._running: dict[_Guest, float] = {}
        """Guests that run, and since when."""
        self._devices: dict[str | None, set[tuple[str, str, str]]] = {}
        """By host: guest, metric and device of the last snapshot."""
        self._attached: dict[_Guest, float] = {}
        """When a guest that ran already got a further device."""
        self._last: dict[str | None, float] = {}

    def see(self, snapshot: Snapshot) -> None:
        """Which guests run now. One that was built or is paused has not been started."""
        host, by_name = snapshot.host, _by_metric(snapshot)
        domids = {
            labels["domain"]: labels["domid"] for labels, _ in by_name.get("xen_domain_info", ()) if labels["domid"]
        }
        if not domids:
            return  # nobody could be asked: no guest is gone because of that
        states = {labels["domain"]: labels["state"] for labels, _ in by_name["xen_domain_state"]}
        told = {labels["domain"]: value for labels, value in by_name["xen_domain_start_time_seconds"]}
        before, known = self._domids.get(host), self._running
        self._running = {guest: at for guest, at in known.items() if guest[0] != host}
        for name, domid in domids.items():
            if states.get(name) not in _RUNS:
                continue
            same = before is not None and before.get(name) == domid
            since = known.get((host, name)) if same else None
            if since is None and (name in told or before is not None):
                since = told.get(name, self._last.get(host, snapshot.at))
            if since is not None:
                self._running[host, name] = since
        ran = {name for name, domid in domids.items() if (before or {}).get(name) == domid}
        self._see_devices(host, by_name, ran, snapshot.at)
        self._domids[host], self._last[host] = domids, snapshot.at

    def _see_devices(
        self, host: str | None, by_name: dict[str, list[tuple[dict[str, str], float]]], ran: set[str], at: float
    ) -> None:
        """`ran`: the guests of the last snapshot. Devices that nobody could be asked for stay as they were."""
        devices = {
            (labels["domain"], name, labels[label])
            for name, label in _DEVICES.items()
            for labels, value in by_name[name]
            if _works(labels, value)
        }
        before = self._devices.get(host, devices)
        devices |= {device for device in before if device[0] in ran and not by_name[device[1]]}
        self._attached = {guest: seen for guest, seen in self._attached.items() if guest[0] != host or guest[1] in ran}
        self._attached |= {(host, guest): at for guest, *_ in devices - before if guest in ran}
        self._devices[host] = devices

    def since(self, evidence: Evidence, subject: Subject, at: float) -> bool:
        """Whether what the evidence speaks of was done after that moment, for the subject of its incident.

        The logs of libvirt's driver know a guest by its number alone: then the incident knows its name.
        """
        operation = self._operations.operations.get(evidence.operation or "")
        if operation is None:
            return False
        target = operation.target or (subject.name if subject.kind == "domain" and subject.is_named else None)
        if target is None:
            return False
        if operation.verb in _ENDING:  # a guest that crashed is gone as well, and nothing is well because of that
            return self._is_gone(operation, target) and evidence.phase == TEARDOWN
        if operation.verb in _LEAVING:
            return self._is_gone(operation, target) and self._tried_again(operation, target, at)
        if operation.attaches:
            return self._attached.get((operation.host, target), at) > at
        return _starts(operation, evidence) and self._started(operation, target, at)

    def _is_gone(self, operation: Operation, target: str) -> bool:
        return operation.host in self._domids and target not in self._domids[operation.host]

    def _tried_again(self, operation: Operation, target: str, at: float) -> bool:
        """Success is not logged; an attempt after which nothing failed and the guest is gone was one."""
        attempts = self._operations.operations.about(operation.host, target, None)
        return any(one.verb == operation.verb and (one.started or 0.0) > at for one in attempts)

    def _started(self, operation: Operation, target: str, at: float) -> bool:
        host = operation.host
        if self._running.get((host, target), at) > at or self._has_newer_domid(operation, target):
            return True
        return any(
            one.outcome == "running" and one.started is not None and one.started > at and one.verb in STARTING
            for one in self._operations.operations.about(host, target, None)
        )

    def _has_newer_domid(self, operation: Operation, target: str) -> bool:
        """Domids only grow, so this is a later start, also where it came between the same two snapshots."""
        domid = self._domids.get(operation.host, {}).get(target, "")
        runs = (operation.host, target) in self._running
        return runs and operation.domid is not None and domid.isdigit() and int(domid) > operation.domid


def _works(labels: dict[str, str], value: float) -> bool:
    """Whether the device of such a sample was attached with success; of an interface its backend does not tell."""
    return "vif" in labels or (labels["class"] != "vif" and _INIT_WAIT <= value <= _CONNECTED)


def _starts(operation: Operation, evidence: Evidence) -> bool:
    """A start, or something unnamed that had not got as far as a guest that runs."""
    return operation.verb in STARTING or (not operation.verb and rank(evidence.phase) < PHASES.index("running"))


def _by_metric(snapshot: Snapshot) -> dict[str, list[tuple[dict[str, str], float]]]:
    wanted = ("xen_domain_info", "xen_domain_state", "xen_domain_start_time_seconds", *_DEVICES)
    found: dict[str, list[tuple[dict[str, str], float]]] = {name: [] for name in wanted}
    for sample in snapshot.samples:
        of_name = found.get(sample.metric.name)
        if of_name is not None and sample.value:  # of a state set, the state that holds
            of_name.append((_labels(sample), sample.value))
    return found


def _labels(sample: Sample) -> dict[str, str]:
    return dict(zip(sample.metric.labels, sample.labels, strict=False))
