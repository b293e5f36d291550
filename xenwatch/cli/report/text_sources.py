"""The end of the text report: error lines that no rule matches, what was read and asked, and what could not be."""

import os
import textwrap
from collections import Counter
from collections.abc import Iterator

import click

from xenwatch.base.durations import format_size
from xenwatch.base.plurals import count_text
from xenwatch.base.printed_text import printable
from xenwatch.cli.report.format import clock_text, cut, year_note
from xenwatch.cli.report.kernel_text import kernel_note
from xenwatch.triage.report import FileRead, Report

_MOST_UNMATCHED = 8
_MOST_FILES = 12
_MOST_SKIPPED = 12


def source_lines(report: Report, width: int) -> Iterator[str]:
    """What the answer above rests on, and what it does not."""
    common = _common_folder([f.path for f in report.files] + [s.path for s in report.skipped])
    yield from _unmatched(report, width, common)
    lines, size = sum(f.lines for f in report.files), sum(f.bytes for f in report.files)
    where = f" below {printable(common)}" if common else ""
    total = f"Read {count_text(len(report.files), 'file')}{where}: {count_text(lines, 'line')}, {format_size(size)}"
    yield from (click.style(line, bold=True) for line in textwrap.wrap(total, max(30, width), break_on_hyphens=False))
    for read in report.files[:_MOST_FILES]:
        yield from _file(report, read, common, width)
    if len(report.files) > _MOST_FILES:
        yield click.style(f"  and {len(report.files) - _MOST_FILES} more; --format json lists all", dim=True)
    yield from _facts(report, width)
    yield from _left_out(report, width, common)


def _file(report: Report, read: FileRead, common: str, width: int) -> Iterator[str]:
    details = [read.format, count_text(read.lines, "line")]
    if read.first is not None and read.last is not None:
        has_year = read.path not in report.years_assumed
        first, last = (clock_text(at, report.utc_offset, has_year=has_year) for at in (read.first, read.last))
        details.append(f"{first} to {last}")
    note = "".join(f"; {text}" for text in (year_note(report, read), kernel_note(read)) if text)
    yield from _placed(printable(read.path.removeprefix(common)), ", ".join(details) + note, width)


def _placed(place: str, text: str, width: int) -> Iterator[str]:
    """A place and what is to be said of it: on one line where there is room, else below it."""
    if len(place) + len(text) + 4 <= width:
        yield f"  {click.style(place, fg='cyan')}  {text}"
        return
    yield f"  {click.style(place, fg='cyan')}"
    yield from textwrap.wrap(text, max(30, width), initial_indent="    ", subsequent_indent="    ")


def _facts(report: Report, width: int) -> Iterator[str]:
    """Each command once, however many files of it there are."""
    names = dict.fromkeys(printable(fact.partition(" (")[0]) for fact in report.facts)
    if names:
        yield from _wrapped(f"facts about the host from: {', '.join(names)}", width)


def _left_out(report: Report, width: int, common: str) -> Iterator[str]:
    reasons = Counter(s.reason for s in report.skipped)
    singles = [s for s in report.skipped if reasons[s.reason] == 1]
    for reason, count in reasons.items():
        if count > 1:
            yield from _wrapped(f"not read: {count_text(count, 'file')}: {reason}", width, "yellow")
    for skipped in singles[:_MOST_SKIPPED]:
        yield from _wrapped(f"not read: {skipped.path.removeprefix(common)}: {skipped.reason}", width, "yellow")
    if len(singles) > _MOST_SKIPPED:
        yield click.style(f"  and {len(singles) - _MOST_SKIPPED} more; --format json lists all", fg="yellow")
    for source in report.unasked:
        yield from _wrapped(f"not known: {source.path}: {source.reason}", width, "yellow")
    if report.older:
        yield f"  {count_text(report.older, 'older incident')} left out (--since all shows them)"
    if report.filtered:
        yield f"  {count_text(report.filtered, 'incident')} left out by --only or --min-severity"


def _unmatched(report: Report, width: int, common: str) -> Iterator[str]:
    if not report.unmatched:
        return
    total = sum(u.count for u in report.unmatched)
    heading = f"{count_text(total, 'error line')} that no rule matches (xenwatch rules new makes a rule from one)"
    yield from (click.style(line, bold=True) for line in textwrap.wrap(heading, max(30, width)))
    for error in report.unmatched[:_MOST_UNMATCHED]:
        times = f" x{error.count}" if error.count > 1 else ""
        place = f"{printable(error.file.removeprefix(common))}:{error.line}{times}"
        text = cut(" ".join(printable(error.text[:2000]).split()), max(30, width - 4))
        yield from _placed(place, text, width)
    if len(report.unmatched) > _MOST_UNMATCHED:
        yield click.style(f"  and {len(report.unmatched) - _MOST_UNMATCHED} more; --format json lists all", dim=True)
    yield ""


def _common_folder(paths: list[str]) -> str:
    """The folder that all paths lie in, of an archive too, when naming it once saves something."""
    if len(paths) < 3 or len({path.startswith("/") for path in paths}) > 1:  # noqa: PLR2004 - two paths are short enough
        return ""
    folder = os.path.commonpath([os.path.dirname(path) for path in paths])  # noqa: PTH120 - of archives' members, too
    return f"{folder}/" if folder.lstrip("/").count("/") else ""


def _wrapped(text: str, width: int, colour: str | None = None) -> Iterator[str]:
    for line in textwrap.wrap(printable(text), max(30, width - 4), initial_indent="  ", subsequent_indent="    "):
        yield click.style(line, fg=colour) if colour else line
