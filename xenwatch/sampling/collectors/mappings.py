"""Mappings left over: kpartx partitions nobody has open, loop devices on deleted files, backends of dead domains."""

from collections import Counter
from collections.abc import Sequence

from xenwatch.base.errors import CommandFailed, Unsupported
from xenwatch.host.files import names_in, read_number
from xenwatch.host.host import Host
from xenwatch.host.kernel.devmapper import Mapping, loops, mappings
from xenwatch.model.sample import Metric, Sample
from xenwatch.sampling.collector import Collector

KPARTX = Metric("xen_kpartx_mappings", "gauge", "Partitions of guests' disks that are mapped in dom0", ("state",))
OPENS = Metric(
    "xen_kpartx_mapping_opens", "gauge", "How often a mapped partition of a guest's disk is open in dom0", ("mapping",)
)
LOOPS = Metric("xen_loop_devices", "gauge", "Loop devices with a file behind them", ("state",))
LOOPS_LIMIT = Metric(
    "xen_loop_devices_limit", "gauge", "Most loop devices of this kernel; absent where it makes more when needed"
)
ORPHANS = Metric(
    "xen_orphan_devices",
    "gauge",
    "Leftover devices: backends of domains that are gone, unused partitions, loops on deleted files",
    ("class",),
)


async def _collect(host: Host) -> Sequence[Sample]:
    if not host.paths.root.is_dir():
        raise Unsupported("mappings: the host's files are not here")
    mapped = [one for one in await _mappings(host) if one.is_partition]
    partitions = Counter("in_use" if one.opens else "orphan" for one in mapped)
    files = Counter("deleted_backing" if one.deleted else "in_use" for one in loops(host.paths.sys))
    samples = [Sample(KPARTX, (state,), float(partitions[state])) for state in ("in_use", "orphan")]
    samples += [Sample(OPENS, (one.name,), float(one.opens)) for one in mapped]
    samples += [Sample(LOOPS, (state,), float(files[state])) for state in ("in_use", "deleted_backing")]
    limit = read_number(str(host.paths.at("sys/module/loop/parameters/max_loop")))
    if limit:
        samples.append(Sample(LOOPS_LIMIT, (), float(limit)))
    orphans = await _dead_backends(host) | {"kpartx": partitions["orphan"], "loop": files["deleted_backing"]}
    return [*samples, *(Sample(ORPHANS, (kind,), float(count)) for kind, count in sorted(orphans.items()))]


async def _mappings(host: Host) -> list[Mapping]:
    """Nothing mapped is the common case; then no program is run at all."""
    if not any(name.startswith("dm-") for name in names_in(host.paths.at("sys/block"))):
        return []
    try:
        return await mappings(host.runner)
    except CommandFailed as error:
        if error.returncode is None:  # dmsetup is not installed: then kpartx is not either
            return []
        raise


async def _dead_backends(host: Host) -> dict[str, int]:
    """Backends with a domid that no domain has; a zombie's devices are not orphaned yet."""
    if host.toolstack is None:
        return {}
    inventory = await host.domains.current(max_age=5.0)
    dead = Counter(d.kind for d in await host.devices.current() if d.domid not in inventory.domids)
    return {kind: dead[kind] for kind in ("vif", "vbd")}


COLLECTOR = Collector(
    name="mappings",
    metrics=(KPARTX, OPENS, LOOPS, LOOPS_LIMIT, ORPHANS),
    begin=lambda: _collect,
    interval=60.0,
    deadline=20.0,
)
