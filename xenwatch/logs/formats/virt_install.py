"""virt-install.log: the command-line installer's own log, written like virt-manager's."""

import re

from xenwatch.logs.formats._shapes import level, named
from xenwatch.logs.timestamps import ENGLISH, ISO, english_time, iso_time
from xenwatch.model.record import Header, LogFormat, TimeHint

_HEADER = re.compile(
    rf"\[(?:(?P<english>{ENGLISH})|(?P<iso>{ISO})) (?:virt-install|virt-clone|virt-image|virt-convert"
    rf"|virt-xml) (?P<pid>\d+)\] "
    r"(?P<level>[A-Z]+) \([\w.<>-]+:\d+\) ?"
)
_START = rb"\[[^\]\n]{10,40} virt-(?:install|clone|image|convert|xml) \d+\] [A-Z]+ \("


def _parse(text: str, hint: TimeHint) -> Header:
    found = _HEADER.match(text)
    if not found:
        return Header()
    at = english_time(found["english"], hint) if found["english"] else iso_time(found["iso"], hint)
    return Header(at, level(found["level"]), found.end(), {"pid": found["pid"]})


FORMAT = LogFormat(
    name="virt-install",
    title="virt-install.log",
    names=named(r"virt-(?:install|clone|image|convert|xml)\.log"),
    sniff=re.compile(rb"^" + _START, re.MULTILINE),
    rank=15,
    record_start=re.compile(_START),
    parse=_parse,
    error=re.compile(rb"^\[[^\]\n]{10,60}\] (?:ERROR|CRITICAL) \(", re.MULTILINE),
)
