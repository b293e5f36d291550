"""Numbers and names as cells; guests choose their names, so these are text and never markup."""

from typing import Any

from rich.text import Text

from xenwatch.base.durations import format_size
from xenwatch.base.plurals import count_text
from xenwatch.base.printed_text import one_line
from xenwatch.cli._top.frame import TopFrame, TopRow
from xenwatch.model.headings import SUBJECT

DOMAIN_COLUMNS = (
    "NAME", "ID", "STATE", "CPU %", "CPU s", "VCPUS", "MEMORY",
    "NET RX/s", "NET TX/s", "VBD RD/s", "VBD WR/s", "INCIDENT",
)  # fmt: skip
WIDE = 132
"""Columns of a terminal from which on all of these are shown."""
NARROW_COLUMNS = ("NAME", "ID", "STATE", "CPU %", "MEMORY", "INCIDENT")
INCIDENT_COLUMNS = ("SEVERITY", SUBJECT.title.upper(), "LAST SEEN (UTC)", "TITLE")
STYLES = {"critical": "bold red", "error": "red", "warning": "yellow", "info": "blue"}
_STATES = {"running": "green", "paused": "yellow", "crashed": "bold red", "dying": "red", "shutdown": "yellow"}
_LONGEST_NAME = 28
_LONGEST_NAME_NARROW = 18
_LONGEST_TITLE = 44
_LEAST_TITLE = 20


def columns(width: int) -> tuple[str, ...]:
    """Those of DOMAIN_COLUMNS that fit a terminal of that width."""
    return DOMAIN_COLUMNS if width >= WIDE else NARROW_COLUMNS


def domain_cells(row: TopRow, width: int = WIDE) -> list[Text]:
    """In the order of `columns(width)`."""
    cells = dict(zip(DOMAIN_COLUMNS, _domain_cells(row, width), strict=True))
    return [cells[column] for column in columns(width)]


def _domain_cells(row: TopRow, width: int) -> list[Text]:
    longest_name, longest_title = _LONGEST_NAME, _LONGEST_TITLE
    if width < WIDE:
        longest_name, longest_title = _LONGEST_NAME_NARROW, max(_LEAST_TITLE, width - 58)
    numbers = (
        "-" if row.cpu_percent is None else f"{row.cpu_percent:.1f}",
        "-" if row.cpu_seconds is None else f"{row.cpu_seconds:.0f}",
        "-" if row.vcpus is None else str(row.vcpus),
        _size(row.memory_bytes),
        *(_size(pace) for pace in (row.received, row.sent, row.read, row.written)),
    )
    worst = row.worst
    more = f" +{len(row.incidents) - 1}" if len(row.incidents) > 1 else ""
    incident = Text("")
    if worst is not None:
        incident = Text(
            f"{_cut(worst['title'], longest_title - len(more))}{more}", style=STYLES.get(worst["severity"], "")
        )
    return [
        Text(_cut(row.name, longest_name), style="bold" if row.domid is not None else "dim"),
        Text("-" if row.domid is None else str(row.domid), justify="right"),
        Text(row.state, style=_STATES.get(row.state, "")),
        *(Text(number, justify="right") for number in numbers),
        incident,
    ]


def incident_columns(width: int) -> tuple[str, ...]:
    """Those of INCIDENT_COLUMNS that fit a terminal of that width."""
    return INCIDENT_COLUMNS if width >= WIDE else tuple(c for c in INCIDENT_COLUMNS if not c.startswith("LAST SEEN"))


def incident_cells(incident: dict[str, Any], width: int = WIDE) -> list[Text]:
    """In the order of `incident_columns(width)`."""
    subject = incident["subject"]
    longest = _LONGEST_NAME if width >= WIDE else _LONGEST_NAME_NARROW + len("domain/")
    severity = Text(incident["severity"], style=STYLES.get(incident["severity"], ""))
    seen = Text(str(incident["last_seen"])[:19].replace("T", " "), style="dim")
    return [
        severity,
        Text(_cut(f"{subject['kind']}/{subject['name']}", longest)),
        *([seen] if width >= WIDE else []),
        Text(one_line(incident.get("title") or incident["summary"])),
    ]


def host_line(now: TopFrame, rows: list[TopRow], order: str) -> Text:
    """Version, cpus, memory, counts; the source; what could not be read."""
    info = next((labels for labels, _ in now.samples.get("xen_hypervisor_info", ())), {})
    version = info.get("xen_version", "")
    cpus = now.value("xen_hypervisor_cpus", state="all")
    free, total = now.value("xen_hypervisor_memory_free_bytes"), now.value("xen_hypervisor_memory_total_bytes")
    parts = [f"Xen {version}" if version else "", f"{cpus:.0f} cpus" if cpus else ""]
    parts.append(f"{format_size(free)} of {format_size(total)} free" if free is not None and total else "")
    parts.append(count_text(len(rows), "domain") + f", {sum(row.domid is not None for row in rows)} running")
    line = Text(one_line(" · ".join(part for part in parts if part)), style="bold")
    colour = "red" if now.incidents else "green"
    line.append(f"   {count_text(len(now.incidents), 'open incident')}", style=colour)
    line.append(f"   by {order}", style="dim")
    line.append(f"\n{one_line(now.origin)}", style="dim")
    if now.error:
        line.append(f"\n{one_line(now.error)[:300]}", style="yellow")
    return line


def _size(count: float | None) -> str:
    return "-" if count is None else format_size(count)


def _cut(text: str, most: int) -> str:
    text = one_line(text)
    return text if len(text) <= most else f"{text[: most - 1]}…"
