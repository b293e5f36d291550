"""Logs of programs that manage guests on Xen hosts: OpenNebula, CloudStack, drakrun. What Xen said stands inside."""

from xenwatch.base import lazy_re as re
from xenwatch.logs.formats._shapes import CONTINUED, level, named
from xenwatch.logs.timestamps import english_time, iso_time
from xenwatch.model.record import Header, LogFormat, TimeHint

_STAMP = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}"
_OPENNEBULA = (
    r"(?P<asctime>[A-Z][a-z]{2} [A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d \d{4})"
    r" (?:\[Z\d+\])?\[(?P<module>[A-Za-z]+)\]\[(?P<letter>[DIWE])\]: "
)
_CLOUDSTACK = (
    rf"(?P<log4j>{_STAMP}) (?P<word>TRACE|DEBUG|INFO|WARN|ERROR|FATAL) +\[(?P<class>[\w.$]+)\] "
    r"\([^()\n]{1,200}\) (?:\(logid:\w*\) )?"
)
_DRAKRUN = rf"\[(?P<python>{_STAMP})\]\[ ?(?P<name>DEBUG|INFO|WARNING|ERROR|CRITICAL)\] "
_HEADER = re.compile(rf"(?:{_OPENNEBULA}|{_CLOUDSTACK}|{_DRAKRUN})")
_LETTERS = {"D": "debug", "I": "info", "W": "warning", "E": "error"}


def _parse(text: str, hint: TimeHint) -> Header:
    """A line without a header is what a command printed: it is a record of its own."""
    found = _HEADER.match(text)
    if found is None:
        return Header()
    if letter := found["letter"]:
        at = english_time(found["asctime"], hint)
        said: str | None = _LETTERS[letter]
    else:
        at = iso_time(found["log4j"] or found["python"], hint)
        said = level(found["word"] or found["name"])
    return Header(at=at, level=said, length=found.end())


FORMAT = LogFormat(
    name="management",
    title="log of a program that manages guests (OpenNebula, CloudStack, drakrun)",
    carries_any=True,
    foreign=True,
    names=named(
        r"oned\.log|one/\d+\.log|vms/\d+/vm\.log",
        r"management-server\.log|cloudstack/agent/agent\.log",
        r"drakrun[\w-]*\.log",
    ),
    sniff=re.compile(b"^" + _HEADER.pattern.encode(), re.MULTILINE),
    rank=20,
    continues=CONTINUED,
    parse=_parse,
    # OpenNebula calls a guest after the number of its machine.
    subject=re.compile(r"(?:^|/)(?:one|vms)/(?P<one>\d+)(?:/vm)?\.log"),
)
