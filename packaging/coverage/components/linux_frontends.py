"""A Linux guest's PV drivers, as they speak on its console."""

from component import Component, Tree
from kernel_source import read
from message import Line, Message


def _line(_message: Message, text: str, _tree: Tree) -> Line:
    return Line("console", f"[12345.678901] {text.replace('vbd-7-51712', 'vbd-51712')}")


COMPONENT = Component(
    name="linux-frontends",
    paths=(
        "drivers/block/xen-blkfront.c",
        "drivers/net/xen-netfront.c",
        "drivers/xen/netfront/*.c",
        "drivers/xen/blkfront/*.c",
        "drivers/xen/pvcalls-front.c",
        "drivers/xen/gntalloc.c",
        "drivers/xen/xen-front-pgdir-shbuf.c",
        "drivers/scsi/xen-scsifront.c",
        "drivers/input/misc/xen-kbdfront.c",
        "drivers/video/fbdev/xen-fbfront.c",
        "drivers/usb/host/xen-hcd.c",
        "drivers/char/tpm/xen-tpmfront.c",
        "net/9p/trans_xen.c",
        "sound/xen/*.c",
        "drivers/gpu/drm/xen/*.c",
    ),
    read=read,
    line=_line,
)
