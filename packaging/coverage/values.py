"""Fills a format with what it would hold on a real host, by the argument's own name, else by the word before it."""

import re
from collections.abc import Sequence
from typing import Final

_CONVERSION = re.compile(
    r"%(?P<flags>[-#0 +']*)(?P<width>\*|\d*)(?P<precision>\.(?:\*|\d*))?(?P<length>hh|h|ll|l|L|q|j|z|t)?"
    r"(?P<kind>p(?:d|v|p|g|f|S|s|I4|I6|M|b|V[a-z]?)?|[diouxXeEfFgGcsramp])|%%"
)
_TEXTS: Final = (
    (r"^mddev$", "md0"),
    (r"^md$", "253:4"),
    (r"^(?:bad|unused)_(?:file|offset)$", "Bad swap file entry "),
    (r"strerror|errmsg|\berr(?:or)?str|^errno$|explain|get_error", "Invalid argument"),
    (r"rec(?:ord)?_(?:type|name)", "X86_PV_VCPU_XSAVE"),
    (r"action", "remove"),
    (r"uuid", "6f1c5f4e-8d0b-4a9e-9d3c-2f6a1b7c8d90"),
    (r"bdf|\bpci(?!back)|\bsbdf|\bslot", "0000:03:00.0"),
    (r"bridge|\bbr\b", "xenbr1"),
    (r"\bmac\b", "00:16:3e:12:34:56"),
    (r"\bip\b|addr(?:ess)?(?!_)|gateway|host(?:name)?\b|server|remote", "192.168.1.20"),
    (r"script", "/etc/xen/scripts/block"),
    (r"kernel|loader|firmware|bios|image", "/boot/vmlinuz-guest"),
    (r"ramdisk|initrd|module", "/boot/initrd-guest.img"),
    (r"xs_?path|be_?path|fe_?path|frontend|libxl_path|xenstore|\bnode\b", "/local/domain/0/backend/vbd/7/51712"),
    (r"file|path|\bdir|target|\b(?:open|read|stat|write)\b|\bpipe|socket|\bfifo", "/var/lib/xen/web.img"),
    (r"vif|\bnic\b|netdev|ifname|interface|\bdev(?:ice)?_?name", "vif7.0"),
    (r"disk|vdev|\bvbd|\bdev(?:ice)?\b|blk", "xvda"),
    (r"dom(?:ain)?_?(?:name|u)?\b|\bguest|\bvm\b|\bname\b", "web"),
    (r"pool", "Pool-1"),
    (r"sched", "credit2"),
    (r"cmd|command|prog|exe|argv|binary", "/usr/lib/xen/bin/qemu-system-i386"),
    (r"func|caller|what|whoami", "libxl_step"),
    (r"opt(?:ion)?|param|key|token|arg", "vcpus"),
    (r"val(?:ue)?", "bogus"),
    (r"state|status", "4"),
    (r"type|mode|format|backend", "qcow2"),
)  # fmt: skip
"""The first that the argument's name, and then the word before the conversion, speaks of."""
_NUMBERS: Final = (
    (r"seg(?:ment)?\b|domain_nr|\bfunc\b|devfn", 0),
    (r"domid|dom_?id|\bdom\b|domain", 7),
    (r"errno|errnoval|-ret\b", 22),
    (r"\brc\b|\bret\b|\br\b|error", -3),
    (r"pid|child", 4321),
    (r"status|exit", 1),
    (r"line", 12),
    (r"vcpu", 1),
    (r"cpu", 3),
    (r"irq|gsi|pirq", 16),
    (r"fd\b", 9),
    (r"mem|kb|size|len|bytes|count", 4096),
    (r"mfn|gfn|pfn|addr|start|end", 0x12345),
    (r"port|evtchn", 23),
    (r"\bbus\b", 3),
)
"""Likewise for numbers."""
_XEN: Final = {
    "pd": "d7", "pv": "d7v1", "pp": "0000:03:00.0", "pg": "sdb1", "pf": "arch_do_domctl",
    "ps": "do_softirq+0x6a/0x90", "pS": "do_softirq+0x6a/0x90", "pI4": "192.168.1.20", "pI6": "fe80::1",
    "pM": "00:16:3e:12:34:56", "pb": "0-3", "p": "0x7f1c2d3e4f50", "m": "Invalid argument",
}  # fmt: skip


def fill(format_: str, args: Sequence[str], function: str = "") -> str:
    """The text that the format prints, with plausible values; `function` is where it stands."""
    parts, at, rest = [], 0, [re.sub(r"^__(?:func|FUNCTION)__$", f'"{function}"', arg) for arg in args]
    for found in _CONVERSION.finditer(format_):
        before = format_[: found.start()]
        parts.append(format_[at : found.start()])
        parts.append(_value(found, before, rest))
        at = found.end()
    return "".join([*parts, format_[at:]])


def _value(found: re.Match[str], before: str, rest: list[str]) -> str:
    kind = found["kind"]
    if kind is None:
        return "%"
    for part in (found["width"], found["precision"] or ""):
        if "*" in part and rest:
            rest.pop(0)
    argument = rest.pop(0) if rest and kind != "m" else ""
    if kind in _XEN or kind.startswith("pV"):
        return _XEN.get(kind, "?")
    if kind in "sr":
        return _text(argument, before)
    if kind == "c":
        return "x"
    number = _number(argument, before)
    if kind in "xX" and number < 0:  # a register or an address, whatever the word before it is
        number = 5
    flags = found["flags"].replace("'", "")
    width = found["width"].replace("*", "")
    as_python = {"i": "d", "u": "d"}.get(kind, kind)
    return f"%{flags}{width}{as_python}" % (float(number) if kind in "eEfFgG" else number)


def _text(argument: str, before: str) -> str:
    if literal := re.search(r"\"([^\"%\\]+)\"", argument):
        return literal[1]
    return str(_known(_TEXTS, argument, before, "foo"))


def _number(argument: str, before: str) -> int:
    return int(_known(_NUMBERS, argument, before, 5))


def _known(table: Sequence[tuple[str, str | int]], argument: str, before: str, default: str | int) -> str | int:
    words = " ".join(re.findall(r"[A-Za-z_/]+", before.rsplit("\n", 1)[-1])[-2:])
    for told in (_spaced(argument), words.lower()):
        for pattern, value in table:
            if re.search(pattern, told):
                return value
    return default


def _spaced(argument: str) -> str:
    """`info->u.hvm.kernel` in words; the last name says most, so it alone is looked at if it is long enough."""
    last = re.split(r"->|\.|\[|\(", argument.lower().strip("() "))
    return last[-1].strip(")] ") or argument.lower()
