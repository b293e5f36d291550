"""Captured terminal output of xm, xl, virsh, xe and their scripts: the last resort for text a host wrote."""

import re

from xenwatch.logs.formats._shapes import CONTINUED, WRAPPED, named, syslog_header, xtl_header
from xenwatch.model.record import Header, LogFormat, TimeHint


def _parse(text: str, hint: TimeHint) -> Header:
    """People paste anything: a line with a syslog or libxl header gives its time, all others give none."""
    header = xtl_header(text, hint)
    return header if header.length or header.level else syslog_header(text, hint)


FORMAT = LogFormat(
    name="stderr",
    title="captured output of commands",
    carries_any=True,
    names=named(r"(?:std)?err(?:\.(?:log|txt))?", r"[\w.-]*stderr(?:\.(?:log|txt))?", r"output\.(?:log|txt)"),
    rank=90,
    continues=re.compile(CONTINUED.pattern + rb"|" + WRAPPED),
    parse=_parse,
    error=re.compile(
        rb"^[Ee]rror(?: code)?: |: error: |^Traceback \(|^\w+Error: |[Ii]nternal error|^Failed "
        rb"|SR_BACKEND_FAILURE|: panic: ",
        re.MULTILINE,
    ),
)
