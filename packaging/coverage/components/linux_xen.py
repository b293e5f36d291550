"""Linux' Xen drivers: backends, xenbus, balloon, grants, events, pciback, and how the kernel starts on Xen."""

import re

from component import Component, Tree
from kernel_source import read
from message import Line, Message


def line(_message: Message, text: str, _tree: Tree) -> Line:
    """As the kernel's log in /var/log/messages has it."""
    return Line("kernel", f"Jul 14 14:18:02 dom0 kernel: [12345.678901] {text}")


COMPONENT = Component(
    name="linux-xen",
    paths=(
        "drivers/xen/**/*.c",
        "drivers/block/xen-blk*/*.c",
        "drivers/net/xen-netback/*.c",
        "arch/x86/xen/*.c",
        "arch/arm/xen/*.c",
        "drivers/pci/xen-pcifront.c",
        "drivers/scsi/xen-scsiback.c",
        "drivers/tty/hvc/hvc_xen.c",
    ),
    read=read,
    line=line,
    leave_out=re.compile(r"/(?:sfc_|netfront/|blkfront/|core/reboot)|pvcalls-front|gntalloc|tpmfront"),
)
