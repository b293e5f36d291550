"""Messages of libxl: libvirt's libxl-driver.log and per-domain logs (UTC, no level word), `xl -T`, plain output."""

from xenwatch.base import lazy_re as re
from xenwatch.logs.formats._shapes import XTL_HEADER, domain_field, named, xtl_header
from xenwatch.logs.rotated_name import ROTATED
from xenwatch.logs.timestamps import iso_time
from xenwatch.model.record import Header, LogFormat, TimeHint

_DRIVER = re.compile(r"(?P<at>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\+0000): ")
_CONTEXT = r"(?:libxl|xc|xl|xencall|xenforeignmemory|xendevicemodel|xenevtchn|xengnttab|xenguest|xentoollog)"
_LINE = (
    rb"(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{3}\+0000:| [A-Z]{3,5})? (?:\[\d+\] )?)?"
    + _CONTEXT.encode()
    + rb": (?:[a-z]+: |libxl|\S+\.c:)"
)


def _parse(text: str, hint: TimeHint) -> Header:
    found = _DRIVER.match(text)
    if found:
        return Header(at=iso_time(found["at"], hint), length=found.end(), fields=domain_field(text))
    return xtl_header(text, hint)


FORMAT = LogFormat(
    name="libxl",
    title="libxl messages (xl, or libvirt's libxl driver)",
    toolstack="xl",
    carries=frozenset({"xl", "stderr", "domain-builder", "bootloader"}),
    names=named(r"libxl-driver\.log", r"libxl(?:\.log)?") + named(r"libvirt/libxl/[^/]+\.log"),
    sniff=re.compile(rb"^[ \t]*" + _LINE, re.MULTILINE),
    rank=20,
    record_start=re.compile(
        rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|" + _CONTEXT.encode() + rb": |domainbuilder: |Domain start: |\S*[#$] \S"
    ),
    parse=_parse,
    headers=(_DRIVER, XTL_HEADER),
    subject=re.compile(r"libvirt/libxl/(?!libxl-driver|Domain-0)(?P<domain>[^/]+?)\.log" + ROTATED),
)
