"""Asks LVM for its volume groups, physical and logical volumes: one program run for all of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from xenwatch.base.errors import HostError
from xenwatch.host.exec.runner import Runner

_VG = "vg_name,vg_size,vg_free,vg_missing_pv_count,lv_count,snap_count,vg_mda_free,vg_extent_size"
_PV = "pv_name,vg_name,pv_size,pv_free,pv_missing"
_LV = (
    "vg_name,lv_name,lv_size,lv_active,lv_device_open,lv_suspended,lv_health_status,lv_time,data_percent,metadata_percent,"
    "snap_percent,lv_snapshot_invalid,origin,copy_percent,raid_mismatch_count,lv_dm_path,lv_layout"
)
_ARGV = (
    "lvm", "fullreport", "--reportformat", "json", "--units", "b", "--nosuffix", "--config", 'report{time_format="%s"}',
    "--configreport", "vg", "-o", _VG, "--configreport", "pv", "-o", _PV, "--configreport", "lv", "-o", _LV,
    "--configreport", "pvseg", "-o", "pvseg_start", "--configreport", "seg", "-o", "seg_start",
)  # fmt: skip

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LvmReport:
    """Rows as LVM prints them, by its field names; sizes in bytes, an empty field is "" ."""

    vgs: tuple[Row, ...]
    pvs: tuple[Row, ...]
    lvs: tuple[Row, ...]


async def lvm_report(runner: Runner, deadline: float = 30.0) -> LvmReport:
    """What LVM knows now. It may wait for a hung disk: CommandFailed or TimedOut are to be expected."""
    return parse_report((await runner.run(_ARGV, deadline)).checked().text)


def parse_report(text: str) -> LvmReport:
    """LVM's JSON: one report a volume group, and one of what is in none."""
    try:
        reports = json.loads(text)["report"]
    except (ValueError, KeyError) as error:
        raise HostError(f"lvm fullreport: not the JSON expected: {text[:80]!r}") from error

    def rows(kind: str) -> tuple[Row, ...]:
        return tuple(row for report in reports for row in report.get(kind, ()))

    return LvmReport(rows("vg"), rows("pv"), rows("lv"))


def number(row: Row, field: str) -> float | None:
    """A numeric field; None where it is empty, which is what LVM prints for what does not apply."""
    text = row.get(field, "")
    try:
        return float(text)
    except ValueError:
        return None
