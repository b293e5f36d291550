r"""A second look at small texts for messages that a mailer or a terminal has wrapped: newlines there count as spaces.

`I need 131072 KiB, but dom0_min_mem\nis 262144` is one sentence of xend's. Two lines are joined only where the next
word would not have fitted on the first, so that unrelated short lines never meet.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from xenwatch.base import lazy_re as re
from xenwatch.diagnosis.matching.matcher import Match, Matcher
from xenwatch.diagnosis.matching.record_reader import RecordReader
from xenwatch.diagnosis.matching.record_text import text_of
from xenwatch.model.event import Event
from xenwatch.model.record import LogFormat, LogRecord

LARGEST_TEXT = 1024 * 1024
"""Bytes of a file that gets the second look."""
NARROWEST = 60
"""Nobody wraps mail or terminals at fewer columns."""
MOST_LINES = 4

_WORD = re.compile(rb"[ \t>]*(\S+)")
_QUOTE = b" \t>"


@dataclass(slots=True)
class _Paragraph:
    """Lines joined by spaces; `starts` are their offsets in `text`, `origins` those in the file."""

    text: bytes = b""
    starts: list[int] = field(default_factory=list)
    origins: list[int] = field(default_factory=list)

    def add(self, line: bytes, origin: int) -> None:
        joint = b" " if self.text else b""
        self.starts.append(len(self.text) + len(joint))
        self.text += joint + line
        self.origins.append(origin)


def unwrapped_events(
    reader: RecordReader,
    candidates: Callable[[bytes, LogFormat], list[tuple[int, int]]],
    matcher: Matcher,
    found: list[Event],
) -> list[Event]:
    """Events of matches that run over two to four wrapped lines and that `found` does not hold."""
    format_ = reader.chunk.source.format
    if format_.guest_written:
        return []
    paragraphs = [p for p in _paragraphs(reader.data, format_) if len(p.starts) > 1]
    events: list[Event] = []
    for paragraph in paragraphs:
        asked: dict[int, set[int]] = {}
        for behind, index in candidates(paragraph.text, format_):
            asked.setdefault(bisect_right(paragraph.starts, behind - 1) - 1, set()).add(index)
        for line, indexes in sorted(asked.items()):
            events += _events(reader, matcher, paragraph, line, indexes, [*found, *events])
    return events


def _events(
    reader: RecordReader, matcher: Matcher, paragraph: _Paragraph, line: int, asked: set[int], found: list[Event]
) -> list[Event]:
    first, last = max(0, line - MOST_LINES + 1), min(len(paragraph.starts), line + MOST_LINES)
    begin = paragraph.starts[first]
    end = paragraph.starts[last] - 1 if last < len(paragraph.starts) else len(paragraph.text)
    text = text_of(paragraph.text[begin:end])
    record, header = reader.record(paragraph.origins[first], paragraph.origins[last - 1])
    wrapped = record._replace(text=text)
    matches = [m for m in matcher.matches(text, asked, record) if _is_new(m, wrapped, found)]
    return matcher.events(matches, wrapped, header)


def _is_new(match: Match, record: LogRecord, found: list[Event]) -> bool:
    """Not told before: the same words in the same place, whole lines of the first look included."""
    return not any(
        event.rule == match.entry.rule.id
        and event.kind == match.entry.signature.event
        and event.record is not None
        and (event.record.position.offset >= record.position.offset - 512 or event.fields == match.fields)
        and (event.record.text in record.text or dict(event.fields) == match.fields)
        for event in found
    )


def _paragraphs(data: bytes, format_: LogFormat) -> Iterator[_Paragraph]:
    paragraph, before, origin = _Paragraph(), b"", 0
    for raw in data.split(b"\n"):
        line = raw.rstrip(b" \t\r")
        if paragraph.starts and not _wrapped(before, line, format_):
            yield paragraph
            paragraph = _Paragraph()
        if quotes_guest(line, format_):
            line = b""  # a guest's words are never joined to anything: nobody would know any more that they are its own
        if line.strip(_QUOTE):
            paragraph.add(line.lstrip(_QUOTE) if paragraph.starts else line, origin)
        before, origin = line, origin + len(raw) + 1
    if paragraph.starts:
        yield paragraph


def quotes_guest(line: bytes, format_: LogFormat) -> bool:
    """Whether words in the line are a guest's: they are joined to nothing."""
    if format_.guest_line is not None and format_.guest_line.match(line):
        return True
    return format_.guest_text is not None and format_.guest_text.search(line.decode("latin-1")) is not None


def _wrapped(before: bytes, line: bytes, format_: LogFormat) -> bool:
    word = _WORD.match(line)
    if word is None or _begins(line.lstrip(_QUOTE), format_):
        return False
    return len(before) + 1 + len(word[1]) >= NARROWEST


def _begins(line: bytes, format_: LogFormat) -> bool:
    """Whether the line carries the format's own stamp, as no rest of a broken line does."""
    return any(pattern is not None and pattern.match(line) for pattern in (format_.record_start, format_.sniff))
