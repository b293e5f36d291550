"""Guests as xapi's records describe them: state, size, tools, snapshots, disks and interfaces."""

from collections.abc import Iterable, Iterator, Mapping

from xenwatch.host.inventory import STATES
from xenwatch.host.xapi.names import PoolNames
from xenwatch.host.xapi.records import PoolRecords, Record, moment, whole_number
from xenwatch.model.sample import Sample
from xenwatch.sampling.rows import state_set
from xenwatch.sampling.xapi import families as f
from xenwatch.sampling.xapi.kept import KeptByRecord

POWER_STATES = {"Running": "running", "Paused": "paused", "Suspended": "shutoff", "Halted": "shutoff"}


class GuestSamples:
    """`of_all()` once a cycle; `tags` are those that become labels."""

    def __init__(self, pool: str, tags: Iterable[str]) -> None:
        self._pool, self._tags = pool, frozenset(tags)
        self._kept = KeptByRecord()

    def of_all(self, records: PoolRecords, names: PoolNames) -> list[Sample]:
        """Of every guest and control domain."""
        samples: list[Sample] = []
        snapshots = snapshots_of(records)
        for ref, name in names.guests.items():
            vm = records.of("vm")[ref]
            metrics = records.get("vm_metrics", vm["metrics"])
            tools = records.get("vm_guest_metrics", vm["guest_metrics"])
            host = names.hosts.get(str(vm["resident_on"]), "")
            samples += self._kept.of(
                ref,
                (vm, metrics, tools, host, name),
                lambda a=(name, vm, metrics, tools, host): self._of(*a),  # type: ignore[misc]
            )
            if not vm.get("is_control_domain"):
                samples += self._snapshots(name, snapshots.get(ref, ()))
        samples += self._disks(records, names)
        samples += self._interfaces(records, names)
        self._kept.forget_unused()
        return samples

    def _of(self, name: str, vm: Record, metrics: Record | None, tools: Record | None, host: str) -> Iterator[Sample]:
        guest, state = (name, self._pool), POWER_STATES.get(str(vm["power_state"]))
        domid = whole_number(vm.get("domid"))
        yield Sample(f.DOMAIN_INFO, (name, str(vm["uuid"]), "" if domid is None else str(domid), host, self._pool), 1.0)
        for sample in state_set(f.DOMAIN_STATE, (name,), STATES, state):
            yield Sample(f.DOMAIN_STATE, (*sample.labels, self._pool), sample.value)
        for metric, key in ((f.MEMORY_STATIC_MAX, "memory_static_max"), (f.MEMORY_MAXIMUM, "memory_dynamic_max")):
            if size := whole_number(vm.get(key)):
                yield Sample(metric, guest, float(size))
        if state == "running" and metrics is not None:
            if vcpus := whole_number(metrics.get("VCPUs_number")):
                yield Sample(f.VCPUS, (name, "current", self._pool), float(vcpus))
            if (started := moment(metrics.get("start_time"))) is not None:
                yield Sample(f.START_TIME, guest, started)
            if not vm.get("is_control_domain"):
                yield Sample(f.TOOLS, guest, float(has_tools(tools)))
        for tag in self._tags.intersection(map(str, vm.get("tags", ()))):
            yield Sample(f.TAG_INFO, (name, tag, self._pool), 1.0)

    def _snapshots(self, name: str, snapshots: Iterable[Record]) -> Iterator[Sample]:
        times = [at for one in snapshots if (at := moment(one.get("snapshot_time"))) is not None]
        yield Sample(f.SNAPSHOTS, (name, self._pool), float(len(times)))
        if times:
            yield Sample(f.OLDEST_SNAPSHOT, (name, self._pool), min(times))

    def _disks(self, records: PoolRecords, names: PoolNames) -> Iterator[Sample]:
        vdis = records.of("vdi")
        for ref, vbd in records.of("vbd").items():
            name, vdi = names.guests.get(str(vbd["VM"])), vdis.get(str(vbd["VDI"]))
            if name is not None and vdi is not None and vbd.get("currently_attached"):
                repository = names.repositories.get(str(vdi["SR"]), "")
                made = (name, vbd, vdi, repository)
                yield from self._kept.of(ref, made, lambda made=made: self._disk(*made))  # type: ignore[misc]

    def _disk(self, name: str, vbd: Record, vdi: Record, repository: str) -> Iterator[Sample]:
        disk = (name, str(vbd["device"]))
        if size := whole_number(vdi.get("virtual_size")):
            yield Sample(f.VBD_CAPACITY, (*disk, self._pool), float(size))
        if used := whole_number(vdi.get("physical_utilisation")):
            yield Sample(f.VBD_USED, (*disk, self._pool), float(used))
        yield Sample(f.VBD_VDI, (*disk, str(vdi["uuid"]), repository, self._pool), 1.0)

    def _interfaces(self, records: PoolRecords, names: PoolNames) -> Iterator[Sample]:
        for ref, vif in records.of("vif").items():
            name, network = names.guests.get(str(vif["VM"])), records.get("network", vif["network"])
            if name is not None and vif.get("currently_attached"):
                made = (name, vif, network)
                yield from self._kept.of(ref, made, lambda made=made: self._interface(*made))  # type: ignore[misc]

    def _interface(self, name: str, vif: Record, network: Record | None) -> Iterator[Sample]:
        bridge = str(network["bridge"]) if network is not None else ""
        yield Sample(f.VIF_INFO, (name, str(vif["device"]), "", str(vif["MAC"]), bridge, "", "", self._pool), 1.0)


def has_tools(tools: Record | None) -> bool:
    """Whether the guest's drivers said something since it was started."""
    return tools is not None and bool(tools.get("PV_drivers_detected", tools.get("PV_drivers_up_to_date")))


def snapshots_of(records: PoolRecords) -> Mapping[str, list[Record]]:
    """By the reference of the guest that they are of."""
    found: dict[str, list[Record]] = {}
    for vm in records.of("vm").values():
        if vm.get("is_a_snapshot"):
            found.setdefault(str(vm["snapshot_of"]), []).append(vm)
    return found
