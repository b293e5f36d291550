"""Which kind of device a record speaks of: by its path in xenstore, else by the words of the part that serves it."""

from typing import NamedTuple

from xenwatch.base import lazy_re as re


class DeviceKind(NamedTuple):
    """`stored` is what xenstore and the toolstacks call it; `words` are the words of who serves it."""

    name: str
    stored: tuple[str, ...]
    words: str


KINDS = (
    DeviceKind("virtio", ("virtio", "virtio_disk"), r"virtio"),
    DeviceKind("pci", ("pci",), r"libxl_pci\.c|pci-?(?:back|front|stub)|xen_pt|XenPciPassthrough|host-pci|PCI device"),
    DeviceKind("usb", ("vusb", "qusb", "usb"), r"libxl_usb\.c|usb-?(?:back|front)|vusb|\busb\b"),
    DeviceKind("vtpm", ("vtpm",), r"libxl_vtpm\.c|vtpm|tpm-?(?:back|front)"),
    DeviceKind("vkbd", ("vkbd", "vkb"), r"libxl_vkb\.c|kbdfront|\bvkbd?\b"),
    DeviceKind("vfb", ("vfb",), r"fbfront|\bvfb\b|virtual framebuffer"),
    DeviceKind("9pfs", ("9pfs", "p9"), r"libxl_9pfs\.c|libxl_p9\.c|9pfs|9pback|9pnet"),
    DeviceKind("vsnd", ("vsnd",), r"libxl_vsnd\.c|vsnd|snd-?front"),
    DeviceKind("vscsi", ("vscsi",), r"libxl_scsi\.c|scsi-?(?:back|front)\b|vscsi"),
    DeviceKind("console", ("console",), r"libxl_console\.c|xenconsoled?\b|console backend"),
    DeviceKind(
        "vbd",
        ("vbd", "vbd3", "qdisk", "tap", "tap2", "disk"),
        r"libxl_disk\.c|\bvbds?\b|blk-?(?:back|front|tap)|tapdisk|/etc/xen/scripts/block|\bxvd[a-z]|losetup|/dev/loop",
    ),
    DeviceKind(
        "vif",
        ("vif", "nic"),
        r"libxl_nic\.c|\bvifs?\b|net-?(?:back|front)|/etc/xen/scripts/(?:vif|network)|\bvif\d+\.\d+",
    ),
)
"""Asked in this order: what is rare and plain comes first."""

_STORED = {stored: kind.name for kind in KINDS for stored in kind.stored}
_SAID = re.compile(
    rf"(?:backend|device)/(?P<path>{'|'.join(_STORED)})/\d|\((?P<name>{'|'.join(_STORED)})\)"
    rf"|\bdevices? (?P<word>{'|'.join(_STORED)})\b|\b(?P<command>block|network|pci|usb|usbdev|vtpm|vkb)-(?:at|de)tach"
)
_COMMANDS = {"block": "vbd", "network": "vif", "usbdev": "usb", "vkb": "vkbd"}
_WORDS = tuple((kind.name, re.compile(kind.words)) for kind in KINDS)
_LONGEST = 2000


def device_kind(text: str) -> str | None:
    """The kind of device; None where the record does not say."""
    head = text[:_LONGEST]
    said = _SAID.search(head)
    if said is not None:
        if command := said["command"]:
            return _COMMANDS.get(command, command)
        return _STORED[said["path"] or said["name"] or said["word"]]
    return next((name for name, words in _WORDS if words.search(head)), None)
