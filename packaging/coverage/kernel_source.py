"""Reads the messages out of a kernel's C: printk and its kin, with what pr_fmt puts in front of them."""

import re
from collections.abc import Iterator
from dataclasses import replace

from c_source import Says, literal
from c_source import read as read_c
from component import Tree
from message import Message

SAYS = (
    Says(re.compile(r"(?:printk(?:_ratelimited|_once|_deferred)?|net_ratelimited_function|PRINTK|XENPRINTF)")),
    Says(re.compile(r"pr_(?:emerg|alert|crit|err)(?:_ratelimited|_once)?|net_err_ratelimited"), "error"),
    Says(re.compile(r"pr_warn(?:ing)?(?:_ratelimited|_once)?|net_warn_ratelimited"), "warning"),
    Says(re.compile(r"(?:dev|pci|netdev|sdev|vgpu)_(?:emerg|alert|crit|err)(?:_ratelimited|_once)?"), "error"),
    Says(re.compile(r"(?:dev|pci|netdev)_warn(?:_ratelimited|_once)?"), "warning"),
    Says(re.compile(r"xenbus_dev_(?:error|fatal)|xenbus_switch_fatal|xs_error"), "error"),
    Says(re.compile(r"DMERR(?:_LIMIT)?|DMCRIT|xfs_(?:alert|emerg|crit|err)"), "error"),
    Says(re.compile(r"DMWARN(?:_LIMIT)?|WPRINTK|xfs_warn|WARN(?:_ONCE|_RATELIMIT)?"), "warning"),
    Says(re.compile(r"panic|xen_raw_console_write"), "panic"),
)
_WPRINTK = re.compile(r"#define\s+WPRINTK\([^)]*\)\s*\\?\s*printk\(KERN_\w+\s*\"(?P<told>[^\"]*)\"")
_XENBUS = re.compile(r"^pciback \S+ ")
_PREFIX = re.compile(r"^#define\s+(?:pr_fmt\(\w+\)|DM_MSG_PREFIX)\s+(?P<told>[^\n]*)", re.MULTILINE)
_NAMES = (
    (r"pcistub|xen_pcibk|pciback_dev", "pciback 0000:03:00.0: "),
    (r"pcifront", "pcifront pci-0: "),
    (r"platform_pci_(?:probe|init)", "xen-platform-pci 0000:00:02.0: "),
    (r"netback|xenvif", "vif vif-7-0: "),
    (r"netfront|xennet", "vif vif-0: "),
    (r"scsiback", "vscsi vscsi-7-2048: "),
    (r"scsifront", "vscsi vscsi-2048: "),
    (r"xenkbd", "vkbd vkbd-0: "),
    (r"xenfb", "vfb vfb-0: "),
    (r"xen_snd", "vsnd vsnd-0: "),
    (r"xen_drm", "vdispl vdispl-0: "),
    (r"xenhcd", "vusb vusb-0: "),
    (r"tpmfront", "vtpm vtpm-0: "),
    (r"xen_9pfs|p9_xen", "9pfs 9pfs-0: "),
    (r"pvcalls", "pvcalls pvcalls-0: "),
    (r"blkfront", "vbd vbd-51712: "),
    (r"nvme", "nvme nvme0: "),
    (r"arm_smmu", "arm-smmu-v3 arm-smmu-v3.0.auto: "),
    (r"\baer_", "pcieport 0000:00:1c.0: "),
    (r"\bsd_|scsi", "sd 6:0:0:1: [sdc] "),
    (r"blkback|blkif|blktap|xenbus", "vbd vbd-7-51712: "),
)
"""How dev_err and xenbus_dev_error name a device, by what the driver calls itself in its source."""


def read(name: str, text: str, _tree: Tree) -> Iterator[Message]:
    """The messages of one file of a kernel."""
    module = name.removesuffix(".c").replace("-", "_")
    found = _PREFIX.search(text)
    own = literal(found["told"].replace("KBUILD_MODNAME", f'"{module}"')) if found else ""
    if short := _WPRINTK.search(text):
        own = short["told"]
    device = next((told for word, told in _NAMES if re.search(word, text)), "pci 0000:03:00.0: ")
    for message in read_c(name, text, SAYS, {"KBUILD_MODNAME": f'"{module}"'}):
        handed = message.format.replace("%s: %pV, mode:", "%s: page allocation failure: order:4, mode:")
        yield replace(message, format=_before(message.call, own, device) + handed)


def _before(call: str, own: str, device: str) -> str:
    """What stands before the text: what pr_fmt says, the device, and the errno of xenbus_dev_error."""
    xenbus = _XENBUS.sub("pciback pci-7-0: ", device) + "22 "
    told = {
        "panic": "Kernel panic - not syncing: ",
        "DM": f"device-mapper: {own}: ",
        "pr_": own,
        "WPRINTK": own,
        "netdev_": "vif vif-7-0 vif7.0: ",
        "pci_": "pcieport 0000:00:1c.0: ",
        "xenbus_": xenbus,
        "dev_": device,
        "sdev_": device,
    }
    return next((before for begin, before in told.items() if call.startswith(begin)), "")
