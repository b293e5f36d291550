"""SMlog of XenServer and XCP-ng: the storage manager, its garbage collector and SMAPIv3 plugins."""

from xenwatch.base import lazy_re as re
from xenwatch.logs.formats._shapes import SYSLOG_LINE, named, syslog_header
from xenwatch.model.record import Header, LogFormat, TimeHint

_TAG = re.compile(r"(?:SM(?:GC|APIv3)?|\w+): (?:\[\d+\] )? ?")
_LINE = SYSLOG_LINE.encode() + rb"\S+ SM\w*: \[\d+\]"
# Each line of a multi-line text gets a header of its own; a quote that was opened, a traceback and stderr's rest go on.
_BODY = rb"(?: {2,}\S|' ?(?:\n|\Z)|\*{4,}|  File \"|Traceback )"


def _parse(text: str, hint: TimeHint) -> Header:
    outer = syslog_header(text, hint)
    found = _TAG.match(text, outer.length) if outer.length else None
    return Header(outer.at, None, found.end() if found else outer.length, outer.fields)


FORMAT = LogFormat(
    name="sm",
    title="SMlog, the storage manager of XenServer or XCP-ng",
    carries=frozenset({"syslog", "lvm", "xapi"}),
    shared=True,
    names=named(r"SMlog", r"sm\.log"),
    sniff=re.compile(rb"^" + _LINE, re.MULTILINE),
    rank=15,
    continues=re.compile(rb"(?:" + _LINE + rb" ?+)?+" + _BODY),
    parse=_parse,
)
