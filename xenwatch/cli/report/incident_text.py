"""Incidents in a terminal: a table of all, one of them whole."""

import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

import click

from xenwatch.cli.report.format import count_text, is_sentence, printable, shortened
from xenwatch.cli.report.gaps import unknown_text, without_gaps
from xenwatch.cli.report.steps import typed
from xenwatch.model.serialize import subject_from_json

COLOURS = {"critical": "bright_red", "error": "red", "warning": "yellow", "info": "blue"}
_LABEL = 9
_MOST_EVIDENCE = 10
_COLUMNS = ("ID", "SEVERITY", "STATE", "WHO", "LAST SEEN (UTC)", "WHAT")


def table(incidents: Iterable[dict[str, Any]], width: int) -> list[str]:
    """A line for each, columns as wide as they need to be; the last one is cut at `width`."""
    rows = [_cells(one) for one in incidents]
    wide = [max(map(len, column)) for column in zip(_COLUMNS, *rows, strict=True)]
    return [_line(_COLUMNS, wide, width, None), *(_line(row, wide, width, COLOURS.get(row[1])) for row in rows)]


def whole(incident: dict[str, Any], width: int) -> list[str]:
    """Everything about one incident."""
    told = incident["severity"]
    lines = [
        click.style(told.upper(), fg=COLOURS.get(told), bold=True)
        + "  "
        + click.style(printable(incident["title"]), bold=True)
    ]
    lines.append(_row("who", _who(incident)))
    lines.append(_row("state", _state(incident)))
    lines.append(
        _row(
            "seen",
            f"{_time(incident['first_seen'])} to {_time(incident['last_seen'])}, "
            + count_text(incident["count"], "time"),
        )
    )
    for label, text in (("what", _news(incident)), ("why", incident["cause"]), ("means", incident.get("impact"))):
        lines += _paragraph(label, without_gaps(text or ""), width)
    lines += _evidence(incident["evidence"])
    lines += [*_steps("check", incident, "verify", width), *_steps("do", incident, "remedy", width)]
    lines += _paragraph("unknown", unknown_text(incident["unchecked"]), width)
    history = incident.get("history", [])
    for index, one in enumerate(history):
        lines.append(
            _row(
                "history" if not index else "", f"{_time(one['at'])}  {one['what']} {printable(one['detail'])}".rstrip()
            )
        )
    lines.append(
        _row("rule", click.style(f"{incident['rule']}  class {incident['class']}  id {incident['id']}", dim=True))
    )
    return lines


def _news(incident: dict[str, Any]) -> str:
    """The summary, where no piece of evidence says the same."""
    summary = " ".join((incident.get("summary") or "").rstrip("…").split())
    shown = (" ".join(one["text"].split()) for one in incident["evidence"][:_MOST_EVIDENCE] if "text" in one)
    return "" if any(summary in text for text in shown) else summary


def _steps(label: str, incident: dict[str, Any], key: str, width: int) -> Iterator[str]:
    """Commands whole, to be pasted; sentences wrapped."""
    subject = subject_from_json(incident["subject"])
    for index, step in enumerate(typed(incident[key], subject, old=False)):
        head = label if not index else ""
        yield from _paragraph(head, step, width) if is_sentence(step) else [_row(head, printable(step))]


def _cells(one: dict[str, Any]) -> tuple[str, ...]:
    words = printable(one["title"] if one.get("title") else one["summary"]).splitlines()[:1]
    mark = " (ack)" if one["acknowledged_by"] else ""
    return (one["id"], one["severity"], one["state"] + mark, _who(one), _time(one["last_seen"]), *(words or [""]))


def _line(cells: tuple[str, ...], wide: list[int], width: int, colour: str | None) -> str:
    padded = [cell.ljust(size) for cell, size in zip(cells[:-1], wide[:-1], strict=True)]
    room = max(20, width - sum(wide[:-1]) - 2 * len(padded))
    last = cells[-1] if len(cells[-1]) <= room else cells[-1][: room - 1] + "…"
    if colour is None:
        return click.style("  ".join([*padded, last]).rstrip(), bold=True)
    padded[1] = click.style(padded[1], fg=colour)
    return "  ".join([*padded, last])


def _state(incident: dict[str, Any]) -> str:
    words = str(incident["state"])
    if incident["explained_by"]:
        words += f" by {incident['explained_by']}"
    if incident["resolved"]:
        words += f" {_time(incident['resolved'])}"
    if incident["acknowledged_by"]:
        words += f", {printable(incident['acknowledged_by'])} looks after it"
    return words


def _evidence(evidence: list[dict[str, Any]]) -> Iterator[str]:
    for index, one in enumerate(evidence[:_MOST_EVIDENCE]):
        label = "evidence" if not index else ""
        if "file" in one:
            place = f"{one['file']}:{one['line']}" if one["line"] else one["file"]
            yield _row(label, click.style(f"{printable(place)}  {_time(one['at'])}".rstrip(), fg="cyan"))
            yield from (_row("", f"  {line}") for line in shortened(one["text"], 4))
        else:
            yield _row(label, printable(one["summary"]))
    if len(evidence) > _MOST_EVIDENCE:
        yield _row("", f"and {count_text(len(evidence) - _MOST_EVIDENCE, 'more')}")


def _paragraph(label: str, text: str, width: int) -> Iterator[str]:
    lines = textwrap.wrap(printable(" ".join(text.split())), max(40, width - _LABEL))
    yield from (_row(label if not index else "", line) for index, line in enumerate(lines))


def _row(label: str, text: str) -> str:
    return f"{label:>{_LABEL - 2}}  {text}"


def _who(one: dict[str, Any]) -> str:
    return printable(str(subject_from_json(one["subject"]))).replace("\n", " ")


def _time(stamp: str | None) -> str:
    return stamp.replace("T", " ").removesuffix("Z") if stamp else ""
