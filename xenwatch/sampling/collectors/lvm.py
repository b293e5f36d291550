"""LVM: space in groups, missing physical volumes, state and health of volumes, snapshots, thin pools, who uses them."""

import shutil
from collections.abc import Iterator, Sequence

from xenwatch.base.errors import Unsupported
from xenwatch.host.host import Host
from xenwatch.host.lvm import lvm_report
from xenwatch.host.parse.lvm import LvmReport, Row, number
from xenwatch.model.sample import Metric, Sample
from xenwatch.sampling.collector import Collector

_LV, _PV = ("vg", "lv"), ("vg", "pv")
VG_NUMBERS = {
    "vg_size": Metric("xen_lvm_vg_size_bytes", "gauge", "Size of a volume group", ("vg",)),
    "vg_free": Metric("xen_lvm_vg_free_bytes", "gauge", "Space of a volume group that no volume has", ("vg",)),
    "vg_missing_pv_count": Metric(
        "xen_lvm_vg_missing_pvs", "gauge", "Physical volumes of a group that are not found", ("vg",)
    ),
    "lv_count": Metric("xen_lvm_vg_lvs", "gauge", "Logical volumes in a group", ("vg",)),
    "snap_count": Metric("xen_lvm_vg_snapshots", "gauge", "Snapshots in a group", ("vg",)),
    "vg_mda_free": Metric(
        "xen_lvm_vg_metadata_free_bytes", "gauge", "Space left for a group's own description", ("vg",)
    ),
}
PV_NUMBERS = {
    "pv_size": Metric("xen_lvm_pv_size_bytes", "gauge", "Size of a physical volume", _PV),
    "pv_free": Metric("xen_lvm_pv_free_bytes", "gauge", "Space of a physical volume that is not given out", _PV),
}
PV_MISSING = Metric("xen_lvm_pv_missing", "gauge", "Whether a physical volume is not found", _PV)
LV_NUMBERS = {
    "lv_size": Metric("xen_lvm_lv_size_bytes", "gauge", "Size of a logical volume", _LV),
    "lv_time": Metric("xen_lvm_lv_created_timestamp_seconds", "gauge", "When a logical volume was made", _LV),
    "raid_mismatch_count": Metric("xen_lvm_lv_raid_mismatches", "gauge", "Differences found by a scrub", _LV),
}
LV_STATE = Metric("xen_lvm_lv_state", "stateset", "State of a logical volume; several can hold", (*_LV, "state"))
LV_HEALTH = Metric(
    "xen_lvm_lv_health",
    "gauge",
    "1 for what is wrong with a logical volume, as LVM words it; absent when well",
    (*_LV, "status"),
)
SYNC = Metric("xen_lvm_lv_sync_ratio", "gauge", "How far a mirror or RAID volume is in step", _LV)
THIN_DATA = Metric("xen_lvm_thin_data_ratio", "gauge", "How full a thin pool's data is", _LV)
THIN_METADATA = Metric("xen_lvm_thin_metadata_ratio", "gauge", "How full a thin pool's metadata is", _LV)
SNAPSHOT_USAGE = Metric("xen_lvm_snapshot_usage_ratio", "gauge", "How full a snapshot is", (*_LV, "origin"))
SNAPSHOT_INVALID = Metric("xen_lvm_snapshot_invalid", "gauge", "Whether a snapshot overflowed and is lost", _LV)
HOLDER = Metric(
    "xen_lvm_lv_holder_info", "info", "A logical volume that a guest's disk stands on", (*_LV, "domain", "device")
)


async def _collect(host: Host) -> Sequence[Sample]:
    if not host.paths.at("etc/lvm").is_dir() and shutil.which("lvm") is None:
        raise Unsupported("lvm: LVM is not installed here")
    report = await lvm_report(host.runner, COLLECTOR.deadline - 2)
    return [*_groups(report), *_volumes(report), *await _holders(host, report)]


def _groups(report: LvmReport) -> Iterator[Sample]:
    for vg in report.vgs:
        for field, metric in VG_NUMBERS.items():
            if (value := number(vg, field)) is not None:
                yield Sample(metric, (vg["vg_name"],), value)
    for pv in report.pvs:
        labels = (pv.get("vg_name", ""), pv["pv_name"])
        yield Sample(PV_MISSING, labels, float(bool(pv.get("pv_missing"))))
        for field, metric in PV_NUMBERS.items():
            if (value := number(pv, field)) is not None:
                yield Sample(metric, labels, value)


def _volumes(report: LvmReport) -> Iterator[Sample]:
    for lv in report.lvs:
        labels = (lv["vg_name"], lv["lv_name"].strip("[]"))
        for field, metric in LV_NUMBERS.items():
            if (value := number(lv, field)) is not None:
                yield Sample(metric, labels, value)
        for state, field in (("active", "lv_active"), ("open", "lv_device_open"), ("suspended", "lv_suspended")):
            yield Sample(LV_STATE, (*labels, state), float(bool(lv.get(field))))
        if lv.get("lv_health_status"):
            yield Sample(LV_HEALTH, (*labels, lv["lv_health_status"]), 1.0)
        yield from _fill(lv, labels)


def _fill(lv: Row, labels: tuple[str, str]) -> Iterator[Sample]:
    pool = "pool" in lv.get("lv_layout", "")
    for field, metric, wanted in (
        ("data_percent", THIN_DATA, pool),
        ("metadata_percent", THIN_METADATA, pool),
        ("copy_percent", SYNC, True),
    ):
        if wanted and (percent := number(lv, field)) is not None:
            yield Sample(metric, labels, percent / 100)
    if lv.get("origin") and (percent := number(lv, "snap_percent")) is not None:
        yield Sample(SNAPSHOT_USAGE, (*labels, lv["origin"]), percent / 100)
        yield Sample(SNAPSHOT_INVALID, labels, float(bool(lv.get("lv_snapshot_invalid"))))


async def _holders(host: Host, report: LvmReport) -> list[Sample]:
    """Which guest's disk stands on which volume, by the path that the guest was configured with."""
    inventory = await host.domains.known(max_age=60.0)
    known = {f"/dev/{lv['vg_name']}/{lv['lv_name']}": lv for lv in report.lvs}
    known |= {lv["lv_dm_path"]: lv for lv in report.lvs if lv.get("lv_dm_path")}
    samples = []
    for device in await host.devices.current(max_age=60.0):
        domain, lv = inventory.by_domid.get(device.domid), known.get(device.about.get("params", ""))
        if domain is not None and lv is not None:
            labels = (lv["vg_name"], lv["lv_name"], domain.name, device.name)
            samples.append(Sample(HOLDER, labels, 1.0))
    return samples


COLLECTOR = Collector(
    name="lvm",
    metrics=(
        *VG_NUMBERS.values(),
        *PV_NUMBERS.values(),
        PV_MISSING,
        *LV_NUMBERS.values(),
        LV_STATE,
        LV_HEALTH,
        SYNC,
        THIN_DATA,
        THIN_METADATA,
        SNAPSHOT_USAGE,
        SNAPSHOT_INVALID,
        HOLDER,
    ),
    begin=lambda: _collect,
    interval=60.0,
    deadline=45.0,
)
