"""Facts of a pool, from xapi's records. The pool stands where a host stands: `prod:sr/iscsi1`, `prod:domain/web`."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from xenwatch.facts.definitions import FactRow
from xenwatch.host.xapi.chains import chains
from xenwatch.host.xapi.names import PoolNames
from xenwatch.host.xapi.records import NULL, PoolRecords, Record, moment, whole_number
from xenwatch.model.fact import Fact
from xenwatch.model.subject import HOST, Subject

ORIGIN = "xapi"
POOLS_ALONE = (
    "pool.",
    "sr.",
    "vm.",
    "host.live",
    "host.enabled",
    "host.guidances",
    "host.control_domain_disks",
    "host.ha_",
    "host.clock_",
)
"""What the names of these facts begin with: a host knows none of them of itself."""
_PATHS = re.compile(r"[\[(](?P<up>\d+), ?(?P<all>\d+)[\])]")
"""What mpathcount writes into other_config of a PBD as `mpath-<scsi id>`: paths that work, and paths there are."""
_SETTLED_SECONDS = 600.0
"""A guest that was started a moment ago has no tools yet."""
_DISK_TYPES = ("user", "system")


def pool_facts(
    records: PoolRecords, names: PoolNames, pool: str, now: float, clocks: Mapping[str, float] | None = None
) -> list[Fact]:
    """All that is known of the pool at that moment. `clocks`: seconds that hosts are ahead, by reference."""
    rows = (
        *_pool(records, names),
        *_hosts(records, names),
        *_clocks(names, clocks or {}),
        *_repositories(records, names),
        *_guests(records, names, now),
        *_leftovers(records),
    )
    return [Fact(name, subject.on(pool), value, now, ORIGIN) for name, subject, value in rows]


def _pool(records: PoolRecords, names: PoolNames) -> Iterator[FactRow]:
    for record in records.of("pool").values():
        armed = bool(record["ha_enabled"])
        default = records.get("sr", record.get("default_SR"))
        yield "pool.default_sr", HOST, "" if default is None else str(default.get("name_label") or default["uuid"])
        yield "pool.master", HOST, names.hosts.get(str(record["master"]), "")
        yield "pool.ha_enabled", HOST, armed
        wanted = whole_number(record.get("ha_host_failures_to_tolerate"))
        planned = whole_number(record.get("ha_plan_exists_for"))
        if armed and wanted is not None and planned is not None:
            yield "pool.ha_failures_uncovered", HOST, max(0, wanted - planned)
    versions = {_version(host) for host in records.of("host").values()}
    yield "pool.versions", HOST, tuple(sorted(versions))


def _version(host: Record) -> str:
    version = host.get("software_version", {})
    words = (version.get(key, "") for key in ("product_version", "build_number", "xapi", "xen"))
    return " ".join(str(word) for word in words if word)


def _hosts(records: PoolRecords, names: PoolNames) -> Iterator[FactRow]:
    everyone = {str(host["uuid"]) for host in records.of("host").values()}
    armed = any(pool["ha_enabled"] for pool in records.of("pool").values())
    dom0_disks = _disks_of_control_domains(records)
    for ref, name in names.hosts.items():
        host, subject = records.of("host")[ref], Subject("host", name)
        metrics = records.get("host_metrics", host["metrics"])
        if metrics is not None:
            yield "host.live", subject, bool(metrics["live"])
        yield "host.enabled", subject, bool(host["enabled"])
        yield "host.guidances", subject, tuple(sorted(map(str, host.get("pending_guidances", ()))))
        yield "host.control_domain_disks", subject, tuple(sorted(dom0_disks.get(ref, ())))
        if armed and metrics is not None and metrics["live"] and host["enabled"]:
            unseen = everyone - set(map(str, host.get("ha_network_peers", ()))) - {str(host["uuid"])}
            by_uuid = {str(other["uuid"]): names.hosts[at] for at, other in records.of("host").items()}
            yield "host.ha_peers_unseen", subject, tuple(sorted(by_uuid[uuid] for uuid in unseen))


def _clocks(names: PoolNames, clocks: Mapping[str, float]) -> Iterator[FactRow]:
    for ref, ahead in clocks.items():
        if ref in names.hosts:
            yield "host.clock_ahead_seconds", Subject("host", names.hosts[ref]), round(ahead, 1)


def _disks_of_control_domains(records: PoolRecords) -> dict[str, list[str]]:
    """Names of disks that are plugged into a control domain, by the host's reference; ISO images are meant to be."""
    found: dict[str, list[str]] = {}
    for vbd in records.of("vbd").values():
        vm, vdi = records.get("vm", vbd["VM"]), records.get("vdi", vbd["VDI"])
        if vm is not None and vdi is not None and vm.get("is_control_domain") and vbd.get("type") != "CD":
            found.setdefault(str(vm["resident_on"]), []).append(str(vdi.get("name_label") or vdi["uuid"]))
    return found


def _repositories(records: PoolRecords, names: PoolNames) -> Iterator[FactRow]:
    hanging, missing = chains(records), _missing(records)
    for ref, name in names.repositories.items():
        sr, subject = records.of("sr")[ref], Subject("sr", name)
        pbds = [pbd for pbd in records.of("pbd").values() if str(pbd["SR"]) == ref]
        yield "sr.detached_from", subject, _places(pbds, names, lambda pbd: not pbd["currently_attached"])
        yield "sr.paths_missing_on", subject, _places(pbds, names, _misses_paths)
        size, used = whole_number(sr.get("physical_size")), whole_number(sr.get("physical_utilisation"))
        if size and used is not None:
            yield "sr.free_ratio", subject, max(0.0, 1 - used / size)
        yield "sr.missing_disks", subject, _labels(missing.get(ref, ()))
        if ref in hanging:
            yield "sr.longest_chain", subject, hanging[ref].longest
            yield "sr.disks_to_coalesce", subject, len(hanging[ref].to_coalesce)


def _missing(records: PoolRecords) -> dict[str, list[Record]]:
    """Disks that the storage manager no longer finds, by the reference of their repository."""
    found: dict[str, list[Record]] = {}
    for vdi in records.of("vdi").values():
        if vdi.get("missing"):
            found.setdefault(str(vdi["SR"]), []).append(vdi)
    return found


def _places(pbds: list[Record], names: PoolNames, wanted: Callable[[Record], bool]) -> tuple[str, ...]:
    found = (names.hosts.get(str(pbd["host"]), "") for pbd in pbds if wanted(pbd))
    return tuple(sorted(name for name in found if name))


def _misses_paths(pbd: Record) -> bool:
    config = pbd.get("other_config", {})
    counts = (_PATHS.fullmatch(str(value).strip()) for key, value in config.items() if key.startswith("mpath-"))
    return any(found is not None and int(found["up"]) < int(found["all"]) for found in counts)


def _guests(records: PoolRecords, names: PoolNames, now: float) -> Iterator[FactRow]:
    macs, snapshots = _macs(records), _snapshot_times(records)
    for ref, name in names.guests.items():
        vm = records.of("vm")[ref]
        if vm.get("is_control_domain"):
            continue
        subject = Subject("domain", name, str(vm["uuid"]))
        yield "vm.power_state", subject, str(vm["power_state"])
        yield "vm.macs", subject, tuple(sorted(macs.get(ref, ())))
        taken = snapshots.get(ref, [])
        yield "vm.snapshots", subject, len(taken)
        yield "vm.oldest_snapshot_days", subject, int((now - min(taken)) // 86400) if taken else 0
        if (tools := _tools(vm, records, now)) is not None:
            yield "vm.tools", subject, tools


def _macs(records: PoolRecords) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for vif in records.of("vif").values():
        vm = records.get("vm", vif["VM"])
        if vm is not None and vm.get("power_state") == "Running":
            found.setdefault(str(vif["VM"]), set()).add(str(vif["MAC"]).lower())
    return found


def _snapshot_times(records: PoolRecords) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for vm in records.of("vm").values():
        if vm.get("is_a_snapshot") and (at := moment(vm.get("snapshot_time"))) is not None:
            found.setdefault(str(vm["snapshot_of"]), []).append(at)
    return found


def _tools(vm: Record, records: PoolRecords, now: float) -> bool | None:
    """Whether the guest's tools run; None of a guest that does not run, or not long enough to tell."""
    metrics, tools = records.get("vm_metrics", vm["metrics"]), records.get("vm_guest_metrics", vm["guest_metrics"])
    started = moment(metrics.get("start_time")) if metrics is not None else None
    if vm["power_state"] != "Running" or started is None or now - started < _SETTLED_SECONDS:
        return None
    return tools is not None and bool(tools.get("PV_drivers_detected", tools.get("PV_drivers_up_to_date")))


def _leftovers(records: PoolRecords) -> Iterator[FactRow]:
    """What belongs to nobody any more."""
    vms, vdis = records.of("vm"), records.of("vdi")
    used = {str(vbd["VDI"]) for vbd in records.of("vbd").values()}
    lost = (vm for vm in vms.values() if vm.get("is_a_snapshot") and str(vm["snapshot_of"]) not in vms)
    yield "pool.orphan_snapshots", HOST, _labels(lost)
    of_disks = (d for d in vdis.values() if d.get("is_a_snapshot") and str(d["snapshot_of"]) not in vdis)
    yield "pool.orphan_disk_snapshots", HOST, _labels(of_disks)
    disks = (d for ref, d in vdis.items() if ref not in used and _is_disk(d))
    yield "pool.unused_disks", HOST, _labels(disks)


def _is_disk(vdi: Record) -> bool:
    plain = bool(vdi.get("managed", True)) and not vdi.get("is_a_snapshot")
    return plain and vdi.get("type") in _DISK_TYPES and str(vdi.get("SR")) != NULL


def _labels(records: Iterable[Record]) -> tuple[str, ...]:
    return tuple(sorted(str(record.get("name_label") or record["uuid"]) for record in records))
