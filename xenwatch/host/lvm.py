"""Asks LVM for its volume groups, physical and logical volumes: one program run for all of them."""

from xenwatch.host.exec.runner import Runner
from xenwatch.host.parse.lvm import LvmReport, parse_report

_VG = "vg_name,vg_size,vg_free,vg_missing_pv_count,lv_count,snap_count,vg_mda_free,vg_extent_size"
_PV = "pv_name,vg_name,pv_size,pv_free,pv_missing"
_LV = (
    "vg_name,lv_name,lv_size,lv_active,lv_device_open,lv_suspended,lv_health_status,lv_time,data_percent,metadata_percent,"
    "snap_percent,lv_snapshot_invalid,origin,pool_lv,copy_percent,raid_mismatch_count,lv_dm_path,lv_layout"
)
_ARGV = (
    "lvm", "fullreport", "--reportformat", "json", "--units", "b", "--nosuffix", "--config", 'report{time_format="%s"}',
    "--configreport", "vg", "-o", _VG, "--configreport", "pv", "-o", _PV, "--configreport", "lv", "-o", _LV,
    "--configreport", "pvseg", "-o", "pvseg_start", "--configreport", "seg", "-o", "seg_start",
)  # fmt: skip


async def lvm_report(runner: Runner, deadline: float = 30.0) -> LvmReport:
    """What LVM knows now. It may wait for a hung disk: CommandFailed or TimedOut are to be expected."""
    return parse_report((await runner.run(_ARGV, deadline)).checked().text)
