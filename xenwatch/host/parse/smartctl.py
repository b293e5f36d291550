"""What `smartctl --json -a` says of a disk, ATA, SCSI or NVMe (smartmontools 7, json_format_version 1)."""

import json
from dataclasses import dataclass
from typing import Any

_REALLOCATED, _PENDING, _UNCORRECTABLE = 5, 197, 198
"""Numbers of attributes that all makers of ATA disks use alike."""


@dataclass(frozen=True, slots=True)
class DiskHealth:
    """None: the disk does not say."""

    passed: bool | None
    celsius: int | None
    powered_hours: int | None
    worn_ratio: float | None
    """Of an NVMe disk: how much of the writing that it was made for is done; above 1 it goes on."""
    bad_sectors: dict[str, int]
    """reallocated, pending, uncorrectable, media_errors, grown_defects."""


def parse_disk(text: str) -> DiskHealth | None:
    """None where there is no JSON, or the disk was not read: it sleeps, it is none of these, nobody may."""
    try:
        said = json.loads(text)
    except ValueError:
        return None
    if not isinstance(said, dict) or not said.keys() & {"smart_status", "temperature"}:
        return None
    log = _table(said, "nvme_smart_health_information_log")
    used = log.get("percentage_used")
    return DiskHealth(
        passed=_typed(_table(said, "smart_status").get("passed"), bool),
        celsius=_typed(_table(said, "temperature").get("current"), int),
        powered_hours=_typed(_table(said, "power_on_time").get("hours"), int),
        worn_ratio=used / 100 if isinstance(used, int) else None,
        bad_sectors=_bad(said, log),
    )


def _bad(said: dict[str, Any], log: dict[str, Any]) -> dict[str, int]:
    rows = _table(said, "ata_smart_attributes").get("table")
    raw = {row.get("id"): _table(row, "raw").get("value") for row in rows or () if isinstance(row, dict)}
    told = {
        "reallocated": raw.get(_REALLOCATED),
        "pending": raw.get(_PENDING),
        "uncorrectable": raw.get(_UNCORRECTABLE),
        "media_errors": log.get("media_errors"),
        "grown_defects": said.get("scsi_grown_defect_list"),
    }
    return {kind: count for kind, count in told.items() if isinstance(count, int)}


def _table(said: dict[str, Any], key: str) -> dict[str, Any]:
    value = said.get(key)
    return value if isinstance(value, dict) else {}


def _typed(value: Any, kind: type) -> Any:
    return value if isinstance(value, kind) else None
