"""GRUB 2 as it starts Xen and its dom0 (multiboot, xen_boot, relocator), and as a PV guest's boot loader."""

import re

from c_source import Says
from component import Component, Tree, c_reader
from message import Line, Message


def _line(message: Message, text: str, _tree: Tree) -> Line:
    return Line("console", text if message.call == "grub_fatal" else f"error: {text}.")


COMPONENT = Component(
    name="grub",
    paths=(
        "grub-core/loader/i386/xen*.c",
        "grub-core/loader/arm64/xen_boot.c",
        "grub-core/loader/multiboot*.c",
        "grub-core/loader/i386/multiboot*.c",
        "grub-core/lib/relocator.c",
        "grub-core/kern/xen/*.c",
        "grub-core/disk/xen/*.c",
        "grub-core/kern/i386/xen/*.c",
    ),
    read=c_reader([Says(re.compile(r"grub_error|grub_fatal"), "error")]),
    line=_line,
)
