"""The hypervisor's ring (`xm dmesg`, `xl dmesg`, serial console) and xenconsoled's hypervisor.log."""

from xenwatch.base import lazy_re as re
from xenwatch.logs.formats._shapes import SYSLOG_LINE, named, syslog_header
from xenwatch.logs.timestamps import ISO, iso_time
from xenwatch.model.record import Header, LogFormat, TimeHint

_HEADER = re.compile(
    rf"(?:\[(?P<outer>{ISO})\] )?\((?:XEN|d\d+)\) ?"
    rf"(?:\[(?:(?P<date>{ISO})|(?P<boot> *\d+\.\d+)|[0-9a-f]{{16}})\] ?)?"
)
_PREFIX = rb"(?:\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?\] |" + SYSLOG_LINE.encode() + rb"(?:\S+ )?)?"
_CONSOLED = rb"(?:\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] |\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[ \t])?"
_STAMP = rb"(?:\[(?!error_code)[^\]\n]{4,30}\] ?+)?+"
# Below a panic, a crashed domain or a fault Xen prints registers, stack, code and call trace, one prefixed line each.
_BODY = (
    rb"(?:[ \t]+\S|----\[|CPU: |RIP: |RFLAGS: |EFLAGS: |EIP: |PC: |CPSR: |HCR|LR: |SP: |EAX|rax: |rbx: |rsi: "
    rb"|rdx: |rbp: |r\d\d?: |cr0: |cr3: |fsb: |ds: "
    rb"|eax: |esi: |Xen (?:call|stack|code) |Guest stack|Code: |Pagetable walk|L[1-4]\[0x|\*{10,}|\[error_code="
    rb"|FATAL (?:PAGE FAULT|TRAP)|Faulting linear address)"
)
# `Panic on CPU 0:` says what panicked on the line behind it. A guest may print those words: only the host begins so.
_PANICS = (
    rb"(?<=\n\(XEN\) " + stamp + rb"Panic on CPU " + rb"\d" * digits + rb":\n)"
    for stamp in (rb"", rb"\[[ \d.]{12}\] ", rb"\[[\d: -]{19}\] ", rb"\[[\d:. -]{23}\] ")
    for digits in (1, 2, 3)
)
_WHY = rb"(?:" + rb"|".join(_PANICS) + rb")\(XEN\) "


def _parse(text: str, hint: TimeHint) -> Header:
    """Ticks and uptimes of the hypervisor's own stamps give no moment; xenconsoled's and `date` stamps do."""
    syslog = syslog_header(text, hint)
    found = _HEADER.match(text, syslog.length)
    if not found:
        outer = re.match(rf"\[(?P<outer>{ISO})\] ", text)
        return Header(at=iso_time(outer["outer"], hint), length=outer.end()) if outer else syslog
    stamp = found["outer"] or found["date"]
    fields = {"boot_seconds": found["boot"].strip()} if found["boot"] else {}
    return Header(at=iso_time(stamp, hint) if stamp else syslog.at, length=found.end(), fields=fields)


FORMAT = LogFormat(
    name="hypervisor",
    title="messages of the hypervisor",
    shared=True,
    names=named(
        r"hypervisor\.log", r"x[ml][-_ ]?dmesg(?:\.(?:log|txt|out))?", r"xen-?dmesg(?:\.(?:log|txt))?", r"hypervisor"
    ),
    sniff=re.compile(rb"^" + _PREFIX + rb"\((?:XEN|d\d+)\) ?", re.MULTILINE),
    rank=15,
    continues=re.compile(_PREFIX + rb"\(XEN\) ?+" + _STAMP + _BODY + rb"|" + _WHY),
    parse=_parse,
    # What a guest sends to port 0xe9 or to its debug console; until Xen 4.2 with HVM<domid> before it.
    # What Xen prints of itself before it starts any domain; or its panic, from a capture that began too late for that.
    # `domain_crash called from FILE:LINE` is printed first, and then the guest that it is about.
    told_next=re.compile(
        _PREFIX
        + rb"\(XEN\) ?"
        + _STAMP
        + rb"domain_crash called from [^\n]{1,200}\n"
        + _PREFIX
        + rb"\(XEN\) ?"
        + _STAMP
        + rb"Domain (?P<domid>\d+) (?:\(vcpu#|reported crashed)"
    ),
    opening=re.compile(
        rb"\A(?:(?!(?:"
        + _CONSOLED
        + rb"Logfile Opened|Linux version |\[ *\d+\.\d{6}\] )).*\n){0,400}?"
        + _CONSOLED
        + rb"\(XEN\) "
        + _STAMP
        + rb"(?:Xen version \d|Latest ChangeSet|Command line: |Bootloader: |Video information"
        + rb"|EFI RAM map|Xen-e820 RAM map|Panic on CPU \d|----\[ Xen-\d"
        + rb"|(?:Domain 0|Hardware Dom0) (?:crashed|halted|shutdown))"
    ),
    guest_line=re.compile(_PREFIX + rb"(?:(?:\(XEN\) ?" + _STAMP + rb")?\(d\d+\) ?|\(XEN\) ?" + _STAMP + rb"HVM\d+: )"),
)
