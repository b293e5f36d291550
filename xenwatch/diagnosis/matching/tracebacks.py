"""Python tracebacks that a mail, a forum or a logger has torn: put together again as the interpreter printed them.

Indentation is lost, lines are wrapped, each line has a stamp of its own or an empty line after it: the text that comes
out has the interpreter's shape, so that one signature reads them all.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from xenwatch.diagnosis.matching.exceptions import FINAL_LINE, FRAME_LINE
from xenwatch.diagnosis.matching.matcher import Matcher
from xenwatch.diagnosis.matching.record_reader import RecordReader
from xenwatch.diagnosis.matching.record_text import text_of
from xenwatch.diagnosis.matching.rewrap import quotes_guest
from xenwatch.model.event import Event
from xenwatch.model.record import LogFormat

HEADER = "Traceback (most recent call last):"
MOST_LINES = 160
LONGEST_STAMP = 160
"""Characters of a header that a record's text is without."""
_START = re.compile(rb"^(?P<before>[^\n]*?)Traceback \(most recent call last\):", re.MULTILINE)
_WRAPPED_FROM = 60
"""A shorter last line was not wrapped: nobody wraps mail at fewer columns."""
_MOST_WRAPPED = 3


class TornTraceback(NamedTuple):
    """Offsets of the first and behind the last line, and the text as it was printed."""

    start: int
    end: int
    text: str


def mended_events(
    reader: RecordReader,
    candidates: Callable[[bytes, LogFormat], list[tuple[int, int]]],
    matcher: Matcher,
    found: list[Event],
) -> list[Event]:
    """Events of tracebacks that only show when they are put together, and that `found` does not hold."""
    format_ = reader.chunk.source.format
    if format_.guest_written:
        return []
    events: list[Event] = []
    for torn in tracebacks(reader.data):
        lines = reader.data[torn.start : torn.end].split(b"\n")
        if format_.by_guest(reader.data, torn.start) or any(quotes_guest(line, format_) for line in lines):
            continue
        if _is_record(torn, reader.data, format_):
            continue
        record, header = reader.record(torn.start, torn.end)
        asked = {index for _, index in candidates(torn.text.encode(), format_)}
        pairs = {(e.rule, e.kind) for e in found if _overlaps(e, record.position.offset, torn)}
        mended = record._replace(text=torn.text)
        matches = [
            match
            for match in matcher.matches(torn.text, asked, record)
            if (match.entry.rule.id, match.entry.signature.event) not in pairs
        ]
        events += matcher.events(matches, mended, header)
    return events


def _overlaps(event: Event, first: int, torn: TornTraceback) -> bool:
    if event.record is None:
        return False
    offset = event.record.position.offset
    return offset < first + torn.end - torn.start and first < offset + len(event.record.text) + LONGEST_STAMP


def tracebacks(data: bytes) -> Iterator[TornTraceback]:
    """Those in a text, each as it was printed."""
    return filter(None, (_mended(data, start) for start in _START.finditer(data)))


def _is_record(torn: TornTraceback, data: bytes, format_: LogFormat) -> bool:
    """Whether it stands in the log as it was printed, in one record: that was read already."""
    printed = torn.text in text_of(data[torn.start : torn.end])
    return printed and format_.bounds(data, torn.start)[1] >= torn.end


def _mended(data: bytes, start: re.Match[bytes]) -> TornTraceback | None:
    lines, text, in_frame = _lines(data, start), [HEADER], False
    pending: str | None = None
    for line, end in lines:
        if line is None:
            break
        joined = f"{pending} {line}" if pending else line
        pending = None
        if not joined or set(joined) <= set("^~ "):
            continue
        if joined.startswith('File "') and not _is_frame(joined):
            pending = joined  # wrapped: the rest is on the next line
        elif joined.startswith('File "'):
            text.append(f"  {joined}")
            in_frame = True
        elif in_frame and FINAL_LINE.match(joined):
            return TornTraceback(start.start(), *_ended(joined, end, lines, text))
        elif in_frame:
            _add_code(text, joined)
        if len(text) > MOST_LINES:
            break
    return None


def _is_frame(line: str) -> bool:
    found = FRAME_LINE.match(line)
    return found is not None and (found["function"] is not None or line.endswith(found["line"]))


def _add_code(text: list[str], line: str) -> None:
    if text[-1].startswith("    "):
        text[-1] = f"{text[-1]} {line}"
    else:
        text.append(f"    {line}")


def _ended(line: str, end: int, rest: Iterator[tuple[str | None, int]], text: list[str]) -> tuple[int, str]:
    """The last line with what was wrapped of it."""
    width, wrapped = len(line), 0
    while width >= _WRAPPED_FROM and wrapped < _MOST_WRAPPED:
        more, after = next(rest, (None, end))
        if not more or not more[0].islower():
            break
        line, end, width, wrapped = f"{line} {more}", after, len(more), wrapped + 1
    return end, "\n".join([*text, line])


def _lines(data: bytes, start: re.Match[bytes]) -> Iterator[tuple[str | None, int]]:
    """The lines that follow, without the stamp that the first one has, and where each ends. None: another's line."""
    before = start["before"].decode("utf-8", "replace")
    stamp = _stamp(before)
    at = data.find(b"\n", start.end()) + 1
    for _ in range(2 * MOST_LINES):
        if not 0 < at < len(data):
            return
        end = data.find(b"\n", at)
        end = len(data) if end < 0 else end
        line = text_of(data[at:end])
        found = stamp.match(line)
        rest = (line[found.end() :] if found else line).lstrip(" \t>").rstrip()
        strange = found is None and not rest.startswith('File "') and not FINAL_LINE.match(rest)
        yield (None if strange or "Traceback (most recent" in line else rest), end
        at = end + 1


def _stamp(before: str) -> re.Pattern[str]:
    """The words before the traceback, with any digits: the same logger at another second."""
    words = before.strip(" \t>")
    shape = re.sub(r"\d+", r"\\d+", re.escape(words).replace(r"\ ", r"\s+")) if words else ""
    return re.compile(rf"[ \t>]*{shape}")
