"""Incidents as a table on a terminal, a line for each."""

from collections.abc import Iterable, Iterator
from typing import Any

import click

from xenwatch.base.printed_text import one_line
from xenwatch.cli.report.format import cut, stamp_text
from xenwatch.cli.report.incident_text import COLOURS
from xenwatch.model.headings import SUBJECT
from xenwatch.model.serialize import subject_from_json

_COLUMNS = ("ID", "SEVERITY", "STATE", SUBJECT.title.upper(), "LAST SEEN (UTC)", "TITLE")
_GAP = "  "
_SHORTEST = 16
_SHORTEST_TITLE = 30
_INDENT = 4


def table(incidents: Iterable[dict[str, Any]], width: int) -> list[str]:
    """A header and the incidents of the API, columns as wide as they need.

    The title is cut at `width`; where it has too little room it has a line of its own below the rest.
    """
    rows = [_cells(incident, width) for incident in incidents]
    widths = [max(map(len, column)) for column in zip(_COLUMNS, *rows, strict=True)]
    lines = [*_lines(_COLUMNS, widths, width, None)]
    for row in rows:
        lines += _lines(row, widths, width, COLOURS.get(row[1]))
    return lines


def subject_text(incident: dict[str, Any]) -> str:
    """`domain/web`, or `xen1:domain/web` where the host is told apart."""
    return one_line(subject_from_json(incident["subject"]).in_words)


def _cells(incident: dict[str, Any], width: int) -> tuple[str, ...]:
    title = one_line(str(incident.get("title") or incident["summary"]).split("\n", 1)[0])
    longest = max(_SHORTEST, width // 5)
    mark = " (ack)" if incident["acknowledged_by"] else ""
    return (
        incident["id"], incident["severity"], incident["state"] + mark, cut(subject_text(incident), longest),
        stamp_text(incident["last_seen"]), title,
    )  # fmt: skip


def _lines(cells: tuple[str, ...], widths: list[int], width: int, colour: str | None) -> Iterator[str]:
    """A row in a colour, or the header (None)."""
    padded = [cell.ljust(size) for cell, size in zip(cells[:-1], widths[:-1], strict=True)]
    room = width - sum(widths[:-1]) - len(_GAP) * len(padded)
    title_below = room < _SHORTEST_TITLE
    if colour is not None:
        padded[1] = click.style(padded[1], fg=colour)
    line = _GAP.join([*padded, *([] if title_below else [cut(cells[-1], room)])]).rstrip()
    yield click.style(line, bold=True) if colour is None else line
    if title_below and colour is not None:
        yield f"{' ' * _INDENT}{cut(cells[-1], width - _INDENT)}"
