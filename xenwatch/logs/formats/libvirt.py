"""The log of libvirtd or virtxend: UTC with milliseconds, thread, level, function; old versions say less."""

from xenwatch.base import lazy_re as re
from xenwatch.logs.formats._shapes import SYSLOG_LINE, level, named, syslog_header
from xenwatch.logs.timestamps import iso_time
from xenwatch.model.record import Header, LogFormat, TimeHint

_HEADER = re.compile(
    r"(?:(?P<at>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}(?:[+-]\d{4})?): |(?P<clock>\d\d:\d\d:\d\d\.\d{3}): )"
    r"(?:(?P<pid>\d+): )?(?P<level>error|warning|info|debug) : "
)
_START = (
    rb"(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}(?:[+-]\d{4})?: |\d\d:\d\d:\d\d\.\d{3}: )(?:\d+: )?(?:error"
    rb"|warning|info|debug) : "
    rb"|"
    + SYSLOG_LINE.encode()
    + rb"\S+ (?:libvirtd|virt\w+d)(?:\[\d+\])?: |libvir(?:t)?: .{2,40} (?:error|warning) : "
)


def _parse(text: str, hint: TimeHint) -> Header:
    outer = syslog_header(text, hint)
    skipped = len(f"{outer.fields['tag']}: ") if "tag" in outer.fields and "pid" not in outer.fields else 0
    found = _HEADER.match(text, outer.length + skipped) or _HEADER.match(text)
    if not found:
        return outer
    at = iso_time(found["at"], hint) if found["at"] else outer.at
    fields = {"pid": found["pid"]} if found["pid"] else {}
    return Header(at=at, level=level(found["level"]), length=found.end(), fields=fields)


FORMAT = LogFormat(
    name="libvirt",
    title="log of the libvirt daemon",
    carries=frozenset({"xl", "libxl", "stderr", "syslog"}),
    names=named(r"libvirtd?\.log", r"virt(?:xend|qemud|lockd|logd)\.log"),
    sniff=re.compile(rb"^[ \t]*(?:" + _START + rb")", re.MULTILINE),
    rank=25,
    record_start=re.compile(
        rb"[ \t]*(?:" + _START + rb")|" + SYSLOG_LINE.encode() + rb"|Traceback \(most|\S*[#$] \S|error: "
        rb"|qvm-\S+ |--> "
    ),
    parse=_parse,
    headers=(_HEADER,),
)
