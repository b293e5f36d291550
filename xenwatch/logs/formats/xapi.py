"""xensource.log of XenServer and XCP-ng: xapi, xenopsd, squeezed, xcp-rrdd, the emulator manager; and xe's answers."""

from xenwatch.base import lazy_re as re
from xenwatch.logs.formats._shapes import CONTINUED, SYSLOG_LINE, level, named, syslog_header
from xenwatch.logs.timestamps import iso_time
from xenwatch.model.record import Header, LogFormat, TimeHint

_BRACKET = re.compile(r"(?:[\w./-]+(?:\[\d+\])?: )?(?=\[ *(?P<level>debug|info|warn|error)\|)")
_FILE = re.compile(r"\[?(?P<at>\d{8}T\d\d:\d\d:\d\d\.\d+Z)\|(?P<level>[ \w]+)\|")
_DAEMONS = (
    rb"(?:xapi|xenopsd(?:-\w+)?|squeezed|xcp-\w+|forkexecd|xcp-rrdd\S*|emu-manager\S*|xenguest-\S+"
    rb"|message-switch|v6d|xha|perfmon|mpathalert|wsproxy)"
)
_LINE = (
    rb"(?:" + SYSLOG_LINE.encode() + rb"\S+ " + _DAEMONS + rb"(?:\[\d+\])?: |\[?\d{8}T\d\d:\d\d:\d\d\.\d+Z\|[ \w]+\|"
    rb"|\[ *(?:debug|info|warn|error)\|[^|\n]*\|)"
)


def _parse(text: str, hint: TimeHint) -> Header:
    """The bracket `[level|host|thread task|part]` stays in the message: rules name the part."""
    if found := _FILE.match(text):
        return Header(iso_time(found["at"].replace("T", " ", 1), hint), level(found["level"].strip()), found.end())
    outer = syslog_header(text, hint)
    found = _BRACKET.match(text, outer.length)
    severity = level(found["level"]) if found else None
    return Header(outer.at, severity, found.end() if found else outer.length, outer.fields)


FORMAT = LogFormat(
    name="xapi",
    title="xensource.log of XenServer or XCP-ng",
    carries=frozenset({"xl", "libxl", "stderr", "syslog", "lvm", "sm"}),
    shared=True,
    names=named(r"xensource\.log", r"xapi\.log", r"(?:squeezed|xenopsd?|xcp-rrdd\S*|forkexecd|audit)\.log"),
    sniff=re.compile(rb"^(?:" + _LINE + rb"|Error code: SR_BACKEND_FAILURE|[A-Z][A-Z_]{8,}\()", re.MULTILINE),
    rank=22,
    continues=CONTINUED,
    parse=_parse,
    headers=(_FILE,),
)
