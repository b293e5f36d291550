"""xenstored's logs: xenstored.log and access log of oxenstored, trace of the C xenstored."""

from xenwatch.base import lazy_re as re
from xenwatch.logs.formats._shapes import SYSLOG_LINE, named, syslog_header
from xenwatch.logs.timestamps import iso_time
from xenwatch.model.record import Header, LogFormat, TimeHint

_ACCESS = re.compile(r"\[(?P<at>\d{8}T\d\d:\d\d:\d\d\.\d+Z)(?:\|(?P<level>\w+)\|(?P<part>[\w ]+))?\] *")
_TRACE = re.compile(r"(?:IN|OUT) (?:0x)?[0-9a-f]+ (?P<at>\d{8} \d\d:\d\d:\d\d) ")
_LEVELS = {"error": "error", "warn": "warning", "info": "info", "debug": "debug"}


def _parse(text: str, hint: TimeHint) -> Header:
    if found := _ACCESS.match(text):
        stamp = found["at"].replace("T", " ", 1)
        return Header(iso_time(stamp, hint), _LEVELS.get((found["level"] or "").strip()), found.end())
    if found := _TRACE.match(text):
        return Header(at=iso_time(found["at"], hint))
    return syslog_header(text, hint)


FORMAT = LogFormat(
    name="xenstored",
    title="log of the xenstore daemon",
    carries=frozenset({"syslog"}),
    shared=True,
    names=named(r"xenstored(?:-(?:access|trace|test))?\.log", r"xenstored(?:-access|-trace)?"),
    sniff=re.compile(
        rb"^(?:\[\d{8}T\d\d:\d\d:\d\d\.\d+Z[|\]]|(?:IN|OUT) (?:0x)?[0-9a-f]{4,16} \d{8} |"
        + SYSLOG_LINE.encode()
        + rb"\S+ xenstored: [AD]\d+ |Xen Storage Daemon)",
        re.MULTILINE,
    ),
    rank=20,
    parse=_parse,
    headers=(_ACCESS, _TRACE),
    # Connections: A and D0 are dom0's, D<domid> is a guest's, and so is every word behind it.
    guest_line=re.compile(
        rb"(?:\[\d{8}T[\d:.]+Z(?:\|[\w |]+)?\] *|"
        + SYSLOG_LINE.encode()
        + rb"\S+ \S*xenstored(?:\[\d+\])?: )?D[1-9]\d*(?:\.\d+)? "
    ),
    # The trace of the C xenstored does not say which domain sent the message that it shows.
    guest_text=re.compile(r"\A(?:IN|OUT) \S+ \d{8} [\d:]+ \w+ \((?P<words>.*)\Z", re.DOTALL),
)
