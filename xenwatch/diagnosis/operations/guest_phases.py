"""How far a guest's own software had got: in its firmware, its boot loader or its kernel.

Told by where its vcpu stood (in what the hypervisor dumps), else by the last banner that the guest printed before.
"""

from typing import Literal

from xenwatch.base import lazy_re as re

GuestPhase = Literal["firmware", "loader", "kernel"]

BANNERS: dict[GuestPhase, bytes] = {
    "firmware": (
        rb"HVM Loader|hvmloader|SeaBIOS \(version|ROMBIOS|Bochs BIOS|UEFI Interactive Shell|iPXE |EDK ?II"
        rb"|SecCoreStartup|Loading (?:SeaBIOS|OVMF|ROMBIOS)|Invoking (?:SeaBIOS|OVMF|ROMBIOS)"
    ),
    "loader": rb"GNU GRUB|Welcome to GRUB|GRUB loading|ISOLINUX|SYSLINUX|LILO|pvgrub|BdsDxe: starting",
    "kernel": (
        rb"Linux version \d|Booting paravirtualized kernel|Command line: |NetBSD \d|FreeBSD \d|OpenBSD \d"
        rb"|Xen Minimal OS|Windows (?:NT|PV)|Decompressing Linux"
    ),
}
"""What each prints first."""

LOOK_BACK = 64 * 1024
"""Bytes before a record in which the guest's last banner is looked for."""

QUOTED = re.compile(rb"[^\n]{0,80}?\((?:XEN\) ?(?:\[[^\]\n]{1,40}\] ?)?\()?d(?P<domid>\d+)\)")
"""At the start of a line of the hypervisor that a guest wrote."""
_DOMID = re.compile(r"\(d(\d+)v\d+\)|\bd(\d+)(?:v\d+|:v\d+)|\b[Dd]om(?:ain)? (\d+)\b")
_STANDS = re.compile(
    r"RIP: +(?P<cs>[0-9a-f]{4}):\[<(?P<ip>[0-9a-f]+)>\]"  # show_registers
    r"|(?:Real|v86|16bit|32bit|64bit) @ (?P<at>[0-9a-f]{4}):(?P<offset>[0-9a-f]+)"  # hvm_dump_emulation_state
    r"|RIP = 0x(?P<vmx>[0-9a-f]+)"  # vmcs_dump_vcpu
)
_SHORT_MODE = re.compile(r"\b(?:Real|16bit) @ |\bCR0: actual=0x[0-9a-f]*[02468ace],|\bcr0: [0-9a-f]*[02468ace]\b")
"""Protection is off: bit 0 of CR0 is clear, as it is after a reset."""
_NO_PAGING = re.compile(r"\bCR0: actual=0x(?:0{8})?[0-7][0-9a-f]{7}\b|\bcr0: (?:0{8})?[0-7][0-9a-f]{7}\b")
_SEGMENT = re.compile(r"\bcs: (?P<cs>[0-9a-f]{4})\b|\bCS: sel=0x(?P<vmx>[0-9a-f]{4})")
_PV = re.compile(r"CONTEXT: (?:pv|PV)")
_BIOS, _FLASH = 0xE0000, (0xFF000000, 0xFFFFFFFF)
_UEFI_CODE_SEGMENT = 0x38
_KERNEL_SPACE = 0xC0000000
_BOOT_SECTOR = (0x7C00, 0x7DFF)


def guest_phase(text: str) -> GuestPhase | None:
    """Where the vcpu stood, as far as the record shows its registers."""
    stands = None if _PV.search(text) else _STANDS.search(text)
    if stands is None:
        return None
    address = int(stands["ip"] or stands["offset"] or stands["vmx"], 16)
    segment = _segment(text, stands["cs"] or stands["at"])
    if _SHORT_MODE.search(text):
        return _in_real_mode(segment, address)
    if _FLASH[0] <= address <= _FLASH[1] or segment == _UEFI_CODE_SEGMENT:
        return "firmware"
    if address >= _KERNEL_SPACE:
        return "kernel"
    return "firmware" if _NO_PAGING.search(text) else None


def _segment(text: str, said: str | None) -> int:
    """The code segment of the guest; in a dump of VMX state it stands apart."""
    if said is not None and int(said, 16):
        return int(said, 16)
    found = _SEGMENT.search(text)
    return int(found["cs"] or found["vmx"], 16) if found else 0


def _in_real_mode(segment: int, offset: int) -> GuestPhase | None:
    """Kernels, too, start their other vcpus in real mode, somewhere below the BIOS."""
    linear = (segment << 4) + (offset & 0xFFFF)
    if _BOOT_SECTOR[0] <= linear <= _BOOT_SECTOR[1]:
        return "loader"
    return "firmware" if linear >= _BIOS else None


def domid_in(text: str) -> str:
    """The domid that a line of the hypervisor names; empty where it names none."""
    said = _DOMID.search(text)
    return "" if said is None else said[1] or said[2] or said[3]
