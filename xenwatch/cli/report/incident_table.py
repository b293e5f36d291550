"""Incidents as a table on a terminal, a line for each."""

from collections.abc import Iterable
from typing import Any

import click

from xenwatch.cli.report.format import one_line, stamp_text
from xenwatch.cli.report.incident_text import COLOURS
from xenwatch.model.headings import SUBJECT
from xenwatch.model.serialize import subject_from_json

_COLUMNS = ("ID", "SEVERITY", "STATE", SUBJECT.title.upper(), "LAST SEEN (UTC)", "TITLE")


def table(incidents: Iterable[dict[str, Any]], width: int) -> list[str]:
    """A header and a line for each incident of the API, columns as wide as they need; the last is cut at `width`."""
    rows = [_cells(incident) for incident in incidents]
    widths = [max(map(len, column)) for column in zip(_COLUMNS, *rows, strict=True)]
    return [_line(_COLUMNS, widths, width, None), *(_line(row, widths, width, COLOURS.get(row[1])) for row in rows)]


def subject_text(incident: dict[str, Any]) -> str:
    """`domain/web`, or `xen1:domain/web` where the host is told apart."""
    return one_line(str(subject_from_json(incident["subject"])))


def _cells(incident: dict[str, Any]) -> tuple[str, ...]:
    title = one_line(str(incident.get("title") or incident["summary"]).split("\n", 1)[0])
    mark = " (ack)" if incident["acknowledged_by"] else ""
    return (
        incident["id"], incident["severity"], incident["state"] + mark, subject_text(incident),
        stamp_text(incident["last_seen"]), title,
    )  # fmt: skip


def _line(cells: tuple[str, ...], widths: list[int], width: int, colour: str | None) -> str:
    padded = [cell.ljust(size) for cell, size in zip(cells[:-1], widths[:-1], strict=True)]
    room = max(20, width - sum(widths[:-1]) - 2 * len(padded))
    last = cells[-1] if len(cells[-1]) <= room else cells[-1][: room - 1] + "…"
    if colour is None:
        return click.style("  ".join([*padded, last]).rstrip(), bold=True)
    padded[1] = click.style(padded[1], fg=colour)
    return "  ".join([*padded, last])
