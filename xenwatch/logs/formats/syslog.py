"""Files of syslog and journal: hotplug scripts, xenstored, xenconsoled, blktap and the kernel speak here."""

from xenwatch.base import lazy_re as re
from xenwatch.logs.formats._shapes import BELIEVED, GUEST_WORDS, SYSLOG_LINE, named, syslog_header
from xenwatch.model.record import Header, LogFormat, TimeHint

_KERNEL = re.compile(r"kernel: (?:\[ *\d+\.\d+\] ?)?")
_START = SYSLOG_LINE.encode()


def _parse(text: str, hint: TimeHint) -> Header:
    """The kernel's tag and uptime are stripped as in the kernel's own log, so one rule reads both."""
    header = syslog_header(text, hint)
    kernel = _KERNEL.match(text, header.length)
    return Header(header.at, header.level, kernel.end(), header.fields) if kernel else header


FORMAT = LogFormat(
    name="syslog",
    title="syslog or journal of dom0",
    in_journal=True,
    carries_any=True,
    shared=True,
    foreign=True,
    names=named(
        r"syslog(?:\.log)?", r"messages(?:\.log)?", r"daemon\.log", r"journal(?:ctl[\w.-]*)?(?:\.(?:log|txt))?"
    ),
    sniff=re.compile(rb"^" + _START + rb"\S+ [\w./@()-]+(?:\[\d+\])?: ", re.MULTILINE),
    rank=40,
    record_start=re.compile(
        _START
        + rb"\S+ (?:(?!kernel: )\S|kernel: (?:\[ *\d+\.\d+\] ?+)?+(?![ \t]|Call Trace|Code: |R[A-Z0-9]{2}: |\[<))|-- "
    ),
    parse=_parse,
    kernel_line=re.compile(_START + rb"\S+ kernel: "),
    guest_text=GUEST_WORDS,
    believed=BELIEVED,
)
