"""Facts about volume groups, logical and physical volumes, from LVM's text, its JSON or its full report."""

from collections.abc import Iterable, Iterator, Sequence

from xenwatch.facts.definitions import FactRow
from xenwatch.host.parse.lvm import LvmReport, Row, number, parse_lvm, size_in_bytes
from xenwatch.model.subject import HOST, Subject

_LV_ACTIVE, _LV_OPEN = 4, 5
_PV_MISSING = 2
"""Places in the letters of `lv_attr` and `pv_attr`: lvs(8), pvs(8)."""


def full_report(report: LvmReport) -> Iterator[FactRow]:
    """Of `lvm fullreport`."""
    yield from groups(report.vgs)
    yield from physical(report.pvs)
    yield from logical(report.lvs)


def volume_groups(text: str) -> Iterator[FactRow]:
    """Of vgs."""
    return groups(parse_lvm(text))


def logical_volumes(text: str) -> Iterator[FactRow]:
    """Of lvs."""
    return logical(parse_lvm(text))


def physical_volumes(text: str) -> Iterator[FactRow]:
    """Of pvs."""
    return physical(parse_lvm(text))


def groups(rows: Iterable[Row]) -> Iterator[FactRow]:
    """Volume groups with their space."""
    rows = [row for row in rows if row.get("vg_name")]
    yield "vg.names", HOST, tuple(row["vg_name"] for row in rows)
    for row in rows:
        yield from _sizes(row, Subject("vg", row["vg_name"]), {"vg_free": "vg.free_bytes", "vg_size": "vg.size_bytes"})


def logical(rows: Iterable[Row]) -> Iterator[FactRow]:
    """A volume's subject is named `vg/lv`."""
    rows = [row for row in rows if row.get("lv_name") and row.get("vg_name")]
    yield "lv.names", HOST, tuple(f"{row['vg_name']}/{row['lv_name']}" for row in rows)
    for row in rows:
        subject = Subject("lv", f"{row['vg_name']}/{row['lv_name']}")
        yield from _sizes(row, subject, {"lv_size": "lv.size_bytes"})
        if (active := _active(row)) is not None:
            yield "lv.active", subject, active
        if (opened := _open(row)) is not None:
            yield "lv.open", subject, opened
        if (percent := number(row, "data_percent")) is not None:
            yield "lv.data_percent", subject, percent
        if row.get("origin") and not row.get("pool_lv") and "thin" not in row.get("lv_layout", ""):
            yield "lv.snapshot_of", subject, f"{row['vg_name']}/{row['origin']}"
        if (created := number(row, "lv_time")) is not None:
            yield "lv.created_seconds", subject, created
    yield from _thin_pools(rows)


def _thin_pools(rows: Sequence[Row]) -> Iterator[FactRow]:
    """What the volumes of a thin pool may grow to, and how large it is itself."""
    promised: dict[tuple[str, str], int] = {}
    for row in rows:
        if row.get("pool_lv"):
            pool = (row["vg_name"], row["pool_lv"])
            promised[pool] = promised.get(pool, 0) + (size_in_bytes(row.get("lv_size", "")) or 0)
    for row in rows:
        pool = (row["vg_name"], row["lv_name"])
        if pool in promised and (size := size_in_bytes(row.get("lv_size", ""))) is not None:
            subject = Subject("thinpool", "/".join(pool))
            yield "thinpool.size_bytes", subject, size
            yield "thinpool.promised_bytes", subject, promised[pool]


def physical(rows: Iterable[Row]) -> Iterator[FactRow]:
    """Physical volumes, and whether LVM misses them."""
    rows = [row for row in rows if row.get("pv_name")]
    yield "pv.names", HOST, tuple(row["pv_name"] for row in rows)
    for row in rows:
        missing = bool(row.get("pv_missing")) or row.get("pv_attr", "")[_PV_MISSING:] == "m"
        yield "pv.missing", Subject("pv", row["pv_name"]), missing


def _active(row: Row) -> bool | None:
    """As the full report says it in a word, else as `lvs` says it in a letter."""
    return row["lv_active"] == "active" if "lv_active" in row else _letter(row, _LV_ACTIVE, "a")


def _open(row: Row) -> bool | None:
    return bool(row["lv_device_open"]) if "lv_device_open" in row else _letter(row, _LV_OPEN, "o")


def _letter(row: Row, place: int, letter: str) -> bool | None:
    letters = row.get("lv_attr", "")
    return letters[place] == letter if len(letters) > _LV_OPEN else None


def _sizes(row: Row, subject: Subject, names: dict[str, str]) -> Iterator[FactRow]:
    for key, name in names.items():
        if (size := size_in_bytes(row.get(key, ""))) is not None:
            yield name, subject, size
