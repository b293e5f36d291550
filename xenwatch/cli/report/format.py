"""Times, places and log text as people read them; log text is hostile, so none of it reaches a terminal raw."""

import os
from collections.abc import Collection
from datetime import datetime

from xenwatch.base.documentation import documentation_folders
from xenwatch.base.plurals import count_text
from xenwatch.base.printed_text import one_line, printable
from xenwatch.base.zones import Zone, as_tzinfo
from xenwatch.model.diagnosis import Diagnosis
from xenwatch.model.incident import Incident
from xenwatch.model.record import LogRecord
from xenwatch.triage.report import FileRead, Report, log_evidence

LONGEST_LINE = 400

_LAST_MOMENT = 253_370_764_800.0
"""The year 9999, after which no date can be written."""

PAGES_VARIABLE = "XENWATCH_FAILURE_PAGES"
"""Where the failures' pages are published: a folder, or an address that links then lead to."""


def clock_text(at: float, zone: Zone, *, has_year: bool = True) -> str:
    """`2011-05-18 20:55:04`, in the zone the logs were written in; `May 18 20:55:04` where no log says the year."""
    moment = _moment(at, zone)
    return f"{moment:%Y-%m-%d %H:%M:%S}" if has_year else f"{moment:%b} {moment.day} {moment:%H:%M:%S}"


def record_time(report: Report, record: LogRecord) -> str:
    """When the record was written, with the year if a log says it; empty where the record carries no time."""
    if not record.logged:
        return ""
    return clock_text(record.at, report.utc_offset, has_year=record.source.path not in report.years_assumed)


def year_note(report: Report, file: FileRead) -> str:
    """What the times of a log rest on where nothing says their year; empty for all others."""
    if file.last is None or file.path not in report.years_assumed:
        return ""
    return f"the log says no year; {_moment(file.last, report.utc_offset).year} is assumed"


def since_text(report: Report, incident: Incident) -> str:
    """`, 2011-05-18 20:55:02 to 2011-05-18 20:59:10, 3 times`, from the records that carry a time.

    Where some carry none, the incident's own times are those of files.
    """
    records = [record for _, record in log_evidence(incident.diagnosis.evidence)]
    dated = [record.at for record in records if record.logged]
    times = f", {count_text(incident.times_seen, 'time')}" if incident.times_seen > 1 else ""
    if not dated:
        return times
    all_dated = len(dated) == len(records)
    has_year = any(record.logged and record.source.path not in report.years_assumed for record in records)
    first = clock_text(incident.opened if all_dated else min(dated), report.utc_offset, has_year=has_year)
    last = clock_text(incident.last_seen if all_dated else max(dated), report.utc_offset, has_year=has_year)
    return f", {first}{times}" if first == last else f", {first} to {last}{times}"


def stamp_text(stamp: str | None) -> str:
    """`2026-03-01 12:00:00` from the API's `2026-03-01T12:00:00Z`; empty where there is none."""
    return stamp.replace("T", " ").removesuffix("Z") if stamp else ""


def iso_text(at: float, zone: Zone) -> str:
    """`2011-05-18T20:55:04+00:00`, for programs."""
    return _moment(at, zone).isoformat(timespec="milliseconds" if at % 1 else "seconds")


def _moment(at: float, zone: Zone) -> datetime:
    return datetime.fromtimestamp(min(max(at, 0.0), _LAST_MOMENT), as_tzinfo(zone))


def place(record: LogRecord) -> str:
    """`xend.log:45`, or the path alone where the line is not known."""
    path = one_line(record.source.path)
    return f"{path}:{record.position.line}" if record.position.line else path


def shortened(text: str, lines: int, focus: Collection[str] = (), most: int = LONGEST_LINE) -> list[str]:
    """The first lines of a record; of a line longer than `most` what lies around a word of `focus`."""
    all_lines = printable(text).expandtabs().splitlines() or [""]
    shown = [excerpt(line, focus, most) for line in all_lines[:lines]]
    if len(all_lines) > lines > 1:
        # the last line of a traceback is the one that says what went wrong
        shown[-1:] = [f"… {count_text(len(all_lines) - lines, 'line')} …", excerpt(all_lines[-1], focus, most)]
    return shown


def excerpt(line: str, focus: Collection[str], most: int) -> str:
    """At most `most` characters of a line: its start, or what lies around the first word of `focus` behind that."""
    if len(line) <= most:
        return line
    places = [at for word in focus if len(word) > 2 and (at := line.find(word)) >= 0]  # noqa: PLR2004 - a digit is anywhere
    start = max(0, max(places, default=0) - 2 * most // 3)
    start = 0 if start < most // 4 else start
    return ("…" if start else "") + cut(line[start:], most - bool(start))


def repeats_evidence(incident: Incident, shown: int) -> bool:
    """Whether the summary says only what the title, or one of the first `shown` pieces of evidence, says too."""
    summary = " ".join(incident.diagnosis.summary.rstrip("…").split())
    records = [record for _, record in log_evidence(incident.diagnosis.evidence)][:shown]
    return summary in (incident.diagnosis.title, "") or any(summary in " ".join(r.text.split()) for r in records)


def first_line(text: str) -> str:
    """The first line of a record with text in it; empty where there is none."""
    return text.lstrip().split("\n", 1)[0]


def cut(text: str, most: int) -> str:
    """`text`, or its beginning with an ellipsis where it is longer than that."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def rule_text(diagnosis: Diagnosis) -> str:
    """The rule's id, marked where it has not proved itself."""
    return f"{diagnosis.rule} (experimental)" if diagnosis.experimental else diagnosis.rule


def failure_page(rule: str) -> str | None:
    """Where the rule's page lies; None for a rule that has none, such as an operator's own."""
    if base := os.environ.get(PAGES_VARIABLE):
        return f"{base.rstrip('/')}/{rule}.md"
    pages = (folder / "failures" / f"{rule}.md" for folder in documentation_folders())
    return next((str(page) for page in pages if page.is_file()), None)


def failure_link(rule: str) -> str | None:
    """The page's address where it is published; None where it is only a file."""
    page = failure_page(rule)
    return page if page and page.startswith(("https://", "http://")) else None
