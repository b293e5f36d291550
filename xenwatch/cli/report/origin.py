"""What a report was made from: what a colleague who gets only the report has to know to judge it."""

import shlex
from dataclasses import dataclass

from xenwatch.cli.report.format import clock_text
from xenwatch.triage.report import Report


@dataclass(frozen=True, slots=True)
class ReportOrigin:
    """When and how a report was made."""

    made: float
    """Seconds since the epoch."""
    arguments: tuple[str, ...]
    """Behind `xenwatch` on the command line."""
    inputs: tuple[str, ...]
    """Paths as they were named; empty where the running host alone was asked."""
    live: bool = False


def origin_rows(report: Report, origin: ReportOrigin) -> list[tuple[str, str]]:
    """Host, time, command and inputs, each with its label."""
    inputs = [*(["this host, asked live"] if origin.live else []), *map(input_text, origin.inputs)]
    return [
        ("Host", ", ".join(report.hosts) or "not named in what was read"),
        ("Made", f"{clock_text(origin.made, report.utc_offset)} ({_zone_text(report)})"),
        ("Command", shlex.join(["xenwatch", *origin.arguments])),
        ("Inputs", ", ".join(inputs)),
    ]


def input_text(path: str) -> str:
    """A path as people call it."""
    return "standard input" if path == "-" else path


def _zone_text(report: Report) -> str:
    zone = report.utc_offset
    if not isinstance(zone, float | int):
        return str(zone)
    sign, minutes = "-" if zone < 0 else "+", int(abs(zone)) // 60
    return f"UTC{sign}{minutes // 60:02}:{minutes % 60:02}" if zone else "UTC"
