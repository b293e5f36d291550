"""The kernel's log: dmesg with or without uptime stamps, kern.log, `journalctl -k`."""

from xenwatch.base import lazy_re as re
from xenwatch.logs.formats._shapes import BELIEVED, GUEST_WORDS, SYSLOG_LINE, WRAPPED, named, syslog_header
from xenwatch.logs.timestamps import ENGLISH, english_time
from xenwatch.model.record import Header, LogFormat, TimeHint

_STAMP = rb"\[ {0,5}\d{1,8}\.\d{6}\](?:\[ *[TC]\d+\])? ?+"
_PREFIX = rb"(?:<\d>)?(?:" + SYSLOG_LINE.encode() + rb"\S+ (?:kernel: ?+)?+)?+(?:" + _STAMP + rb")?+(?:<\d>)?+"
# What an oops, a stack dump and an out-of-memory report print below their first line (arch/x86/kernel/dumpstack*.c).
_BODY = (
    rb"(?:[ \t]+\S|Call [Tt]race:|\[?<[0-9a-f]{8,16}>|(?:RIP|EIP|RSP|EFLAGS|CR2|CR0|Code|Stack|Process|Pid|Comm"
    rb"|CPU|FS|CS|DS|R[0-9A-Z]{2}"
    rb"|E[A-D]X|ESI|EDI|PGD|P4D|PUD|PMD|PTE|IP|PC is at|LR is at|Modules linked in|Hardware name|Workqueue"
    rb"|last sysfs file|Kernel panic from|task(?=: [0-9a-f]))"
    rb"\b ?[: (]|Oops: |---\[ end trace|SMP ?(?:\n|\Z)|note: \S+\[\d+\] exited)"
)
_HEADER = re.compile(
    r"(?:<\d>)?(?:(?:kernel: ?))?(?:\[ *(?P<boot>\d{1,8}\.\d{6})\](?:\[ *[TC]\d+\])? ?)?"
    rf"(?:\[(?P<date>{ENGLISH})\] ?)?(?:<\d>)?"
)


def _parse(text: str, hint: TimeHint) -> Header:
    """Uptime stamps give no moment by themselves: they come back as the field `boot_seconds`."""
    outer = syslog_header(text, hint)
    found = _HEADER.match(text, outer.length)
    if not found:
        return outer
    at = english_time(found["date"], hint) if found["date"] else outer.at
    fields = outer.fields | ({"boot_seconds": found["boot"]} if found["boot"] else {})
    return Header(at=at, level=None, length=found.end(), fields=fields)


FORMAT = LogFormat(
    name="kernel",
    title="kernel log",
    in_journal=True,
    carries=frozenset({"syslog"}),
    shared=True,
    names=named(r"kern(?:el)?\.log", r"dmesg(?:[._-][\w.-]*)?", r"journalctl[_-]+k\w*(?:\.txt)?"),
    sniff=re.compile(
        rb"^[ \t]*(?:(?:<\d>)?"
        + _STAMP
        + rb"|"
        + SYSLOG_LINE.encode()
        + rb"\S+ kernel: |Linux version \d|(?:vif|vbd) (?:vif|vbd)-\d"
        rb"|xen[-_]?(?:blkback|blkfront|netback|netfront|pciback|bus): "
        rb"|BUG: |Oops: |Unable to handle kernel|Kernel panic)",
        re.MULTILINE,
    ),
    rank=35,
    # Raw lines about devices and bridges have no colon either, and each is a message of its own.
    continues=re.compile(_PREFIX + _BODY + rb"|(?!device |vif|vbd)" + WRAPPED),
    parse=_parse,
    kernel_line=re.compile(rb""),
    guest_text=GUEST_WORDS,
    believed=BELIEVED,
)
