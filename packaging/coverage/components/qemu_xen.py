"""QEMU as Xen's device model: its Xen backends, machine, passthrough; also the old ioemu of Xen's own tree."""

import re

from c_source import Says
from component import Component, Tree, c_reader
from message import Line, Message

_SAYS = [
    Says(re.compile(r"error_report|error_setg(?:_errno|_file_open)?|hw_error|perror"), "error"),
    Says(re.compile(r"error_reportf_err|error_prepend|xen_shutdown_fatal_error"), "error"),
    Says(re.compile(r"warn_report|XEN_PT_WARN"), "warning"),
    Says(re.compile(r"XEN_PT_ERR"), "error"),
    Says(re.compile(r"xen_(?:pv|be)_printf"), "error", needs=re.compile(r"^0$")),
    Says(re.compile(r"fprintf"), "error", needs=re.compile(r"\bstderr\b|\blogfile\b")),
    Says(re.compile(r"net_tx_error"), "error"),
]


def _line(message: Message, text: str, _tree: Tree) -> Line:
    """error_setg is passed up to what prints it behind the program's own name."""
    call = message.call
    if call.startswith(("XEN_PT", "xen_pt")):
        return Line("qemu-dm", f"[00:05.0] {message.function}: {'Error' if 'ERR' in call else 'Warning'}: {text}")
    if call in ("xen_pv_printf", "xen_be_printf"):
        return Line("qemu-dm", f"xen be: qdisk-51712: {text}")
    reason = ": Invalid argument" if call in ("error_setg_errno", "perror") else ""
    before = "qemu: hardware error: " if call == "hw_error" else ""
    if call.startswith(("error_", "warn_")):
        before = f"qemu-system-i386: {'warning: ' if call.startswith('warn') else ''}"
    return Line("qemu-dm", f"{before}{text}{reason}")


COMPONENT = Component(
    name="qemu-xen",
    paths=(
        "hw/xen/*.c",
        "hw/i386/xen/*.c",
        "accel/xen/*.c",
        "hw/*/xen*.c",
        "hw/block/dataplane/xen*.c",
        "tools/ioemu/hw/xen*.c",
        "tools/ioemu/xenstore.c",
        "tools/ioemu/vl.c",
        "tools/ioemu/target-i386-dm/*.c",
        "tools/ioemu/hw/pass-through.c",
        "tools/ioemu/block-vbd.c",
    ),
    read=c_reader(_SAYS),
    line=_line,
    leave_out=re.compile(r"xen_pt_stub"),
)
