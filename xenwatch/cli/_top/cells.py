"""Numbers and names as cells; guests choose their names, so these are text and never markup."""

from typing import Any

from rich.text import Text

from xenwatch.base.durations import format_size
from xenwatch.base.plurals import count_text
from xenwatch.cli._top.frame import TopFrame, TopRow
from xenwatch.cli.report.format import one_line
from xenwatch.model.headings import SUBJECT

DOMAIN_COLUMNS = (
    "NAME", "ID", "STATE", "CPU %", "CPU s", "VCPUS", "MEMORY",
    "NET RX/s", "NET TX/s", "VBD RD/s", "VBD WR/s", "INCIDENT",
)  # fmt: skip
INCIDENT_COLUMNS = ("SEVERITY", SUBJECT.title.upper(), "LAST SEEN (UTC)", "TITLE")
STYLES = {"critical": "bold red", "error": "red", "warning": "yellow", "info": "blue"}
_STATES = {"running": "green", "paused": "yellow", "crashed": "bold red", "dying": "red", "shutdown": "yellow"}
_LONGEST_NAME = 28
_LONGEST_TITLE = 44


def domain_cells(row: TopRow) -> list[Text]:
    """In the order of DOMAIN_COLUMNS."""
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
        incident = Text(f"{_cut(worst['title'], _LONGEST_TITLE)}{more}", style=STYLES.get(worst["severity"], ""))
    return [
        Text(_cut(row.name, _LONGEST_NAME), style="bold" if row.domid is not None else "dim"),
        Text("-" if row.domid is None else str(row.domid), justify="right"),
        Text(row.state, style=_STATES.get(row.state, "")),
        *(Text(number, justify="right") for number in numbers),
        incident,
    ]


def incident_cells(incident: dict[str, Any]) -> list[Text]:
    """In the order of INCIDENT_COLUMNS."""
    subject = incident["subject"]
    return [
        Text(incident["severity"], style=STYLES.get(incident["severity"], "")),
        Text(_cut(f"{subject['kind']}/{subject['name']}", _LONGEST_NAME)),
        Text(str(incident["last_seen"])[:19].replace("T", " "), style="dim"),
        Text(one_line(incident.get("title") or incident["summary"])),
    ]


def host_line(now: TopFrame, rows: list[TopRow], order: str) -> Text:
    """Version, cpus, memory, counts; the source; what could not be read."""
    info = next((labels for labels, _ in now.samples.get("xen_hypervisor_info", ())), {})
    version = info.get("xen_version", "")
    cpus = now.value("xen_hypervisor_cpus", state="total") or now.value("xen_hypervisor_cpus", state="online")
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
