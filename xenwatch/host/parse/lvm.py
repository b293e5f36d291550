"""Output of `lvs`, `vgs` and `pvs`, as text with a header or with `--reportformat json`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from xenwatch.base import lazy_re as re
from xenwatch.base.errors import HostError
from xenwatch.host.parse.table import rows_under

Row = Mapping[str, str]

_UNITS = {unit: 1024**power for power, unit in enumerate("bkmgtpe")} | {"s": 512}
_SIZE = re.compile(r"<?(?P<number>\d+(?:[.,]\d+)?)\s*(?P<unit>[bkmgtpes])(?:i?b)?", re.IGNORECASE)
# The titles of the text form, by the field names of the JSON form.
_TITLES = {
    "LV": "lv_name",
    "VG": "vg_name",
    "PV": "pv_name",
    "LSize": "lv_size",
    "VSize": "vg_size",
    "VFree": "vg_free",
    "PSize": "pv_size",
    "PFree": "pv_free",
    "Pool": "pool_lv",
    "Origin": "origin",
    "Data%": "data_percent",
    "Snap%": "data_percent",
    "Meta%": "metadata_percent",
    "Devices": "devices",
    "#PV": "pv_count",
    "#LV": "lv_count",
    "#SN": "snap_count",
    "Fmt": "pv_fmt",
    "Ext": "vg_extent_size",
    "#Ext": "vg_extent_count",
    "Free": "vg_free_count",
}
_KINDS = ("vg", "pv", "lv")
_ATTRIBUTES = {"LV": "lv_attr", "VG": "vg_attr", "PV": "pv_attr"}


@dataclass(frozen=True, slots=True)
class LvmReport:
    """Rows as LVM's JSON has them, by its field names; an empty field is ""."""

    vgs: tuple[Row, ...]
    pvs: tuple[Row, ...]
    lvs: tuple[Row, ...]


def parse_report(text: str) -> LvmReport:
    """LVM's JSON: one report a volume group, and one of what is in none. HostError where it is anything else."""
    try:
        reports = json.loads(text)["report"]
        vgs, pvs, lvs = (tuple(_texts(row) for report in reports for row in report.get(kind, ())) for kind in _KINDS)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise HostError(f"lvm: expected its JSON, got {text[:80]!r}") from error
    return LvmReport(vgs, pvs, lvs)


def parse_lvm(text: str) -> list[dict[str, str]]:
    """One dict a line with the fields of LVM's JSON (`lv_name`, `vg_free`, …); an empty field is absent."""
    if text.lstrip().startswith("{"):
        return _from_json(text)
    lines = text.splitlines()
    for number, line in enumerate(lines):
        words = line.split()
        if words and words[0] in _ATTRIBUTES and "Attr" in words:
            names = _TITLES | {"Attr": _ATTRIBUTES[words[0]]}
            return [
                {names.get(title, title): cell for title, cell in row.items()}
                for row in rows_under(line, lines[number + 1 :])
                if words[0] in row and ("Attr" in row)
            ]
    return []


def size_in_bytes(text: str) -> int | None:
    """`<2.00g`, `128.00m`, `512B`, and `512` without a unit, as bytes; None for anything else.

    LVM's `<` means rounded up.
    """
    if text.strip().isdecimal():
        return int(text)
    found = _SIZE.fullmatch(text.strip())
    return int(float(found["number"].replace(",", ".")) * _UNITS[found["unit"].lower()]) if found else None


def number(row: Row, field: str) -> float | None:
    """A numeric field; None where it is empty, which is what LVM prints for what does not apply."""
    try:
        return float(row.get(field, ""))
    except ValueError:
        return None


def _from_json(text: str) -> list[dict[str, str]]:
    try:
        report = parse_report(text)
    except HostError:
        return []
    rows = (*report.vgs, *report.pvs, *report.lvs)
    return [{name: value for name, value in row.items() if value} for row in rows]


def _texts(row: Mapping[str, object]) -> Row:
    return {name: str(value) for name, value in row.items()}
