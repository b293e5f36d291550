"""virt-manager.log: the graphical client, from 0.8's long dates to today's."""

import re

from xenwatch.logs.formats._shapes import level, named
from xenwatch.logs.timestamps import ENGLISH, ISO, english_time, iso_time
from xenwatch.model.record import Header, LogFormat, TimeHint

_HEADER = re.compile(
    rf"\[(?:(?P<english>{ENGLISH})"
    rf"|(?P<iso>{ISO})) virt-manager (?P<pid>\d+)\] (?P<level>[A-Z]+) \([\w.<>-]+:\d+\) ?"
)
_START = rb"\[[^\]\n]{10,40} virt-manager \d+\] [A-Z]+ \("


def _parse(text: str, hint: TimeHint) -> Header:
    found = _HEADER.match(text)
    if not found:
        return Header()
    at = english_time(found["english"], hint) if found["english"] else iso_time(found["iso"], hint)
    return Header(at, level(found["level"]), found.end(), {"pid": found["pid"]})


FORMAT = LogFormat(
    name="virt-manager",
    title="virt-manager.log",
    names=named(r"virt-manager\.log"),
    sniff=re.compile(rb"^" + _START + rb"|virtManager/\w+\.py\", line", re.MULTILINE),
    rank=15,
    # The text of its error dialogs, pasted without headers, starts with one of these sentences.
    record_start=re.compile(_START + rb"|Unable to |Error +\w+ing domain"),
    parse=_parse,
    error=re.compile(
        rb"^\[[^\]\n]{10,60}\] (?:ERROR|CRITICAL) \(|^Unable to complete install|^Error +\w+ing domain", re.MULTILINE
    ),
)
