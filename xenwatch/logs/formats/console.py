"""A guest's console as xenconsoled keeps it: every byte is chosen by the guest."""

from xenwatch.base import lazy_re as re
from xenwatch.logs.formats._shapes import named
from xenwatch.logs.rotated_name import ROTATED
from xenwatch.logs.timestamps import ISO, iso_time
from xenwatch.model.record import Header, LogFormat, TimeHint

_HEADER = re.compile(rf"(?:\[(?P<at>{ISO})\] ?)?(?:\[ *(?P<boot>\d{{1,8}}\.\d{{6}})\] ?)?")
_STAMPS = rb"(?:\[[-\d: ]{19}\] ?)?(?:\[ *\d+\.\d+\] ?)?"
# What a kernel prints below the first line of an oops, an empty line among it: where it happened, and who was there.
# Its registers are records of their own: a console that was cut off begins with them, and ends with their call trace.
_BODY = (
    rb"(?:[ \t]+(?:\[?<?[0-9a-f]{8}|(?:\? )?[\w.]+\+0x[0-9a-f]+/0x)|Call Trace:"
    rb"|(?:[RE]?IP|Code|PGD|Modules linked in|Hardware name|Workqueue|last sysfs file|pc|lr) ?: ?"
    rb"|(?:EIP|PC|LR) is at |#PF: |Pid: \d+, comm: |CPU: \d+ (?:PID|UID|Not))"
)

_NOBODYS = "guest|dom[0uU]|boot|crash|panic|full|output|serial|log|error|xen|vm|hvm|pv|pvh|kernel"
"""What else people put behind `console-`."""


def _parse(text: str, hint: TimeHint) -> Header:
    """The stamp (`--timestamp=guest`) is xenconsoled's and so the host's; what follows it is the guest's."""
    found = _HEADER.match(text)
    if not found:
        return Header()
    fields = {"boot_seconds": found["boot"]} if found["boot"] else {}
    return Header(at=iso_time(found["at"], hint) if found["at"] else None, length=found.end(), fields=fields)


FORMAT = LogFormat(
    name="console",
    title="console of a guest",
    names=named(
        r"guest-[^/]+\.log", r"(?!xenconsole)[^/]*console[^/]*\.(?:log|txt)", r"console/(?!hypervisor)[^/]+\.log"
    ),
    # A log that xenconsoled opened and in which the hypervisor does not speak: the whole head counts as matching.
    # So do lines with xenconsoled's stamp before the guest kernel's own.
    sniff=re.compile(
        rb"\A(?:\[[-\d: ]{19}\] )?Logfile Opened\n(?:(?!(?:\[[-\d: ]{19}\] )?\(XEN\)).*\n?)*"
        rb"|^\[[-\d: ]{19}\] \[ *\d+\.\d{6}\] ",
        re.MULTILINE,
    ),
    rank=12,
    continues=re.compile(rb"(?:" + _STAMPS + rb"[ \t]*\n)?" + _STAMPS + _BODY),
    parse=_parse,
    headers=(_HEADER,),
    guest_written=True,
    subject=re.compile(
        rf"(?:^|/)(?:guest-(?!console\b)|console-(?!(?:{_NOBODYS})\b|\d+\.))(?P<domain>[^/]+?)(?:-vuart\d)?\.(?:log|txt)"
        + ROTATED
    ),
)
