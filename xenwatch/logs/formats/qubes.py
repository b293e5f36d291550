"""Qubes dom0: logs of qubesd, guid, qrexec and qmemman, and what qvm-* tools print."""

from xenwatch.base import lazy_re as re
from xenwatch.logs.formats._shapes import CONTINUED, SYSLOG_LINE, named, syslog_header
from xenwatch.logs.timestamps import ISO, iso_time
from xenwatch.model.record import Header, LogFormat, TimeHint

_DATED = re.compile(rf"(?P<at>{ISO}) ")


def _parse(text: str, hint: TimeHint) -> Header:
    if found := _DATED.match(text):
        return Header(at=iso_time(found["at"], hint), length=found.end())
    return syslog_header(text, hint)


FORMAT = LogFormat(
    name="qubes",
    title="logs and tools of Qubes OS in dom0",
    carries_any=True,
    names=named(
        r"log/qubes/[^/]+\.log",
        r"(?:guid|qrexec|qubesdb|mgmt|pacat|vm)[.-][^/]+\.log",
        r"qmemman\.log",
        r"qubes(?:d)?\.log",
    ),
    sniff=re.compile(
        rb"^(?:--> (?:Loading the VM|Starting|Setting Qubes DB|Creating volatile)"
        rb"|(?:\S*[#$] )?(?:/usr/bin/)?qvm-[a-z-]+[ ,:]|"
        + SYSLOG_LINE.encode()
        + rb"\S+ (?:qubesd|qmemman\S*|qrexec\S*|qubes-\S+?)(?:\[\d+\])?: )",
        re.MULTILINE,
    ),
    rank=45,
    continues=CONTINUED,
    parse=_parse,
)
