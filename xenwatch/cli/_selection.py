"""Options of `diagnose` that select what of a report is shown, as one value."""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import click

from xenwatch.cli._since import Since, last, parse_since
from xenwatch.model.diagnosis import SEVERITIES, Severity
from xenwatch.triage.report import Report


@dataclass(frozen=True, slots=True)
class Selection:
    """What somebody asked to see of a report."""

    everything: bool = False
    subjects: tuple[str, ...] = ()
    severity: Severity | None = None
    since: Since | None = None

    def of(self, report: Report, now: float | None, default: float = math.inf) -> Report:
        """The part of the report that was asked for. `now`: of a running host; None: the logs' end counts.

        `default`: seconds back that are shown where nobody says since when.
        """
        since = self.since or last(math.inf if self.everything else default)
        moment = since(report.end if now is None else now, report.utc_offset)
        if moment > -math.inf:
            report = report.since(moment)
        if self.subjects:
            report = report.only(self.subjects)
        return report if self.severity is None else report.at_least(self.severity)


_OPTIONS = (
    click.option(
        "--all",
        "everything",
        is_flag=True,
        help="Show everything in full: also what a root cause explains, what is only good to know, and what ended.",
    ),
    click.option(
        "--only",
        "subjects",
        multiple=True,
        metavar="SUBJECT",
        help="Show only what is about this subject, such as domain/web, with its cause. May be repeated.",
    ),
    click.option(
        "--min-severity",
        "severity",
        type=click.Choice(SEVERITIES),
        help="Show only what is at least this severe, with its cause.",
    ),
    click.option(
        "--since",
        callback=parse_since,
        metavar="WHEN",
        help="Leave out incidents that ended before this: a duration before the end of the logs (2h, 7d), a date "
        "(2026-11-28), today, yesterday, or all. With --live, durations count from now. "
        "Default: all; with --live and no PATH: 1d.",
    ),
)


def selection_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options; the command takes them together as `selection`."""

    @functools.wraps(command)
    def with_selection(*args: Any, **values: Any) -> Any:
        names = [field.name for field in fields(Selection)]
        return command(*args, selection=Selection(**{name: values.pop(name) for name in names}), **values)

    for option in reversed(_OPTIONS):
        with_selection = option(with_selection)
    return with_selection
