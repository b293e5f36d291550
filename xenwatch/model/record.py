"""Log text on its way in: where it comes from, how its format is cut into records, one record."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from xenwatch.base.zones import Zone
from xenwatch.model.subject import Subject

LONGEST_RECORD = 64 * 1024
"""Bytes of one record that are looked at; a longer one is cut there, and nothing behind it is lost."""
MOST_RECORD_LINES = 1000
"""Lines on either side of a place that are looked at for the ends of its record: empty lines are cheap to write."""


@dataclass(frozen=True, slots=True)
class Header:
    """What the start of a record says about it."""

    at: float | None = None
    """Seconds since the epoch; None where the format carries no time."""
    level: str | None = None
    """debug, info, warning, error or critical; None where the format carries none."""
    length: int = 0
    """Characters of the header: the message starts here."""
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TimeHint:
    """What a header alone does not say: the zone of local times and a moment near which a yearless date lies."""

    near: float
    utc_offset: Zone = 0.0
    """What local times in this log are written in: seconds east of UTC, or a zone."""


def _no_header(_text: str, _hint: TimeHint) -> Header:
    return Header()


@dataclass(frozen=True, slots=True)
class LogFormat:
    """A format: how its files are recognised, cut into records, and read. `logs/formats/` has one file each."""

    name: str
    """The format's name, such as `xend`; rules name it in `streams`."""
    title: str
    """What it is, for people: `xend.log of the xend toolstack`."""
    names: tuple[re.Pattern[str], ...] = ()
    """Searched in the path: `(^|/)xend\\.log(\\.\\d+)?$`. Of the formats that match, the lowest `rank` wins."""
    sniff: re.Pattern[bytes] | None = None
    """Searched in the first 64 KiB when the name says nothing; the format with most matching lines wins."""
    rank: int = 50
    """Breaks ties between formats; the lower is asked first."""
    record_start: re.Pattern[bytes] | None = None
    """Matched at the start of a line: a record begins here, all other lines continue it. None: see `continues`."""
    continues: re.Pattern[bytes] | None = None
    """For formats without headers: matched at the start of a line that belongs to the record before it."""
    parse: Callable[[str, TimeHint], Header] = _no_header
    """Reads a record's header."""
    headers: tuple[re.Pattern[str], ...] = ()
    """Those with a time, whole, for other programs that read such logs: the groups `at` and perhaps `level`."""
    guest_written: bool = False
    """A guest chooses this text: it counts for its own domain only, and only rules that name the format see it."""
    guest_prompts: bool = False
    """A program of the host writes here in a guest's name, and lets it put in lines of its own: what is said of a
    domain is said of the log's owner, and teaches nobody's name."""
    carries: frozenset[str] = frozenset()
    """Other formats with messages that also turn up here, as libxl's do in libvirt's logs."""
    carries_any: bool = False
    """A captured terminal, or a log that many programs write to: any host-written message may stand here."""
    in_journal: bool = False
    """The journal of systemd holds the same lines, where a daemon writes both."""
    toolstack: str | None = None
    """The command, `xm` or `xl`, of the toolstack that alone writes it; None where no toolstack does, or several."""
    captured: bool = False
    """Such a file holds what somebody saw on a terminal: it is what he asks about."""
    shared: bool = False
    """Many programs or many tasks write to it at once: a line says nothing of the line before it."""
    foreign: bool = False
    """Such a file may be of any program: only the words of Xen in it make it one of Xen."""
    unrelated: bool = False
    """No program of Xen writes so: its errors are nobody's trouble here."""
    names_device_models: bool = False
    """Its records say which process serves which domain."""
    guest_line: re.Pattern[bytes] | None = None
    """In a host-written format, matched at the start of lines that a guest wrote, such as `(XEN) (d5) `."""
    told_next: re.Pattern[bytes] | None = None
    """Matched at the start of a record that names nobody: its group `domid` is in the record behind it."""
    guest_text: re.Pattern[str] | None = None
    """In a message of a host-written format: its group is what a guest or a stranger chose and the host repeats.
    No signature sees it."""
    believed: re.Pattern[str] | None = None
    """Where many programs write: matched at the start of a message with its tag, it is of the kernel or of a program
    of the host that says nothing but its own words. Any other is believed by rules that name it. None: by all."""
    kernel_line: re.Pattern[bytes] | None = None
    """Matched at the start of a record: a kernel wrote it, and it may be dom0's or a guest's (the whole log's, where
    it is a guest's). None: nobody but the host's programs, or nobody but a guest, writes here."""
    opening: re.Pattern[bytes] | None = None
    """Searched in the first 64 KiB of a file that by its name is just some console: it is of this format."""
    subject: re.Pattern[str] | None = None
    """Searched in the path: its groups `domain`, `domid`, `one` or `pid` say which domain the log belongs to."""

    def bounds(self, data: bytes, at: int) -> tuple[int, int]:
        """Start and end of the record around offset `at` in `data` (end excludes the final newline)."""
        start, end = _line_start(data, at), _line_end(data, at)
        floor, ceiling = max(0, at - LONGEST_RECORD), min(len(data), at + LONGEST_RECORD)
        for _ in range(MOST_RECORD_LINES):
            if start <= floor or not self._continues(data, start):
                break
            start = _line_start(data, start - 1)
        for _ in range(MOST_RECORD_LINES):
            if end >= ceiling or end + 1 >= len(data) or not self._continues(data, end + 1):
                break
            end = _line_end(data, end + 1)
        return start, end

    def by_guest(self, data: bytes, line_start: int) -> bool:
        """Whether a guest may have written the record that starts there: it is believed about that guest alone."""
        quoted = self.guest_line is not None and self.guest_line.match(data, line_start) is not None
        return self.guest_written or self.guest_prompts or quoted

    def stranger(self, header: Header, message: str) -> str | None:
        """The program that wrote a message, where not everything it says is the host's word; None: it is believed."""
        tag = header.fields.get("tag")
        if tag is None or self.believed is None or tag == "kernel" or self.believed.match(message):
            return None
        return tag

    def domid_behind(self, data: bytes, start: int) -> str | None:
        """The domid that only the record behind the one at `start` says, as Xen does of a crash."""
        found = self.told_next.match(data, start) if self.told_next is not None else None
        return found["domid"].decode("ascii") if found else None

    def hidden(self, text: str) -> str:
        """A message without the words in it that are not the host's."""
        if self.guest_text is None:
            return text
        kept, behind = list[str](), 0
        for found in self.guest_text.finditer(text):
            start, end = found.span(found.lastindex or 0)
            kept += (text[behind:start], "…")
            behind = end
        return "".join((*kept, text[behind:]))

    def _continues(self, data: bytes, line_start: int) -> bool:
        if self.record_start is not None:
            return self.record_start.match(data, line_start) is None
        return self.continues is not None and self.continues.match(data, line_start) is not None


def _line_start(data: bytes, at: int) -> int:
    return data.rfind(b"\n", 0, at) + 1


def _line_end(data: bytes, at: int) -> int:
    end = data.find(b"\n", at)
    return len(data) if end < 0 else end


@dataclass(frozen=True, slots=True)
class Source:
    """One log: a path people know, its format, and the domain it belongs to, if it does."""

    path: str
    format: LogFormat
    subject: Subject | None = None
    host: str | None = None
    """Name of the host it comes from, where the bundle or the operator says it; None: this host, or it is not said."""


class Position(NamedTuple):
    """Where a record stands: `generation` tells rotated files of one name apart; line is 1-based, 0 unknown."""

    generation: str
    offset: int
    line: int = 0


class Chunk(NamedTuple):
    """Whole lines of one source, in order, each handed on exactly once."""

    source: Source
    data: bytes
    position: Position
    """Of the first byte."""
    hint: TimeHint
    final: bool = False
    """Nothing follows in this generation: the last record is complete."""


class LogRecord(NamedTuple):
    """One record, multi-line ones joined. `at` is never None: a record without a time takes its neighbour's."""

    source: Source
    text: str
    """The message, header stripped, `\\n` between its lines, invalid UTF-8 replaced."""
    at: float
    logged: bool
    """True where the record carries its own time; False where it was taken from a neighbour or the reader's clock."""
    position: Position
    guest: bool = False
    """A guest may have written it."""
    host: str | None = None
    """The host that the record's own header names, as syslog's does; None of what a guest may have written."""
    kernel_role: str | None = None
    """The kernel that wrote it: dom0, guest, driver, unknown; None where none did, or the format alone says which."""
    stranger: str | None = None
    """The program that wrote it, where not everything that it says is the host's word: see `LogFormat.believed`."""
    own_name: str | None = None
    """What the writer calls its machine in the header: a guest may call itself as it likes."""

    @property
    def writer(self) -> str:
        """The writer as a rule's `kernel.role` names it: a log that only the host writes is dom0's."""
        return self.kernel_role or ("guest" if self.guest else "dom0")
