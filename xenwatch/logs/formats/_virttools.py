"""What virt-manager and its command-line tools write: `[date program pid] LEVEL (module:line) message`."""

from collections.abc import Callable

from xenwatch.base import lazy_re as re
from xenwatch.logs.formats._shapes import level
from xenwatch.logs.timestamps import ENGLISH, ISO, english_time, iso_time
from xenwatch.model.record import Header, TimeHint


def start_of(programs: str) -> bytes:
    """Pattern of the start of a record; `programs` is a pattern of their names."""
    return rb"\[[^\]\n]{10,40} (?:%s) \d+\] [A-Z]+ \(" % programs.encode()


def header_of(programs: str) -> Callable[[str, TimeHint], Header]:
    """Reads time, level and pid. Old versions write long dates (`Mon, 02 Jan 2012 10:00:00`), later ones ISO dates."""
    header = re.compile(
        rf"\[(?:(?P<english>{ENGLISH})|(?P<iso>{ISO})) (?:{programs}) (?P<pid>\d+)\] "
        r"(?P<level>[A-Z]+) \([\w.<>-]+:\d+\) ?"
    )

    def parse(text: str, hint: TimeHint) -> Header:
        found = header.match(text)
        if not found:
            return Header()
        at = english_time(found["english"], hint) if found["english"] else iso_time(found["iso"], hint)
        return Header(at, level(found["level"]), found.end(), {"pid": found["pid"]})

    return parse
