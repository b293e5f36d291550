"""Plausible values for the typed places of message templates: what a host could really have printed there."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from uuid import UUID

PLACE = re.compile(r"\{(?:(?P<name>\w+):)?(?P<kind>[a-z]\w*)\}")

_NAMES = ("web", "db01", "mail.example.org", "win2k3", "cache-7", "build_agent", "XP", "vm1", "web-01-test", "n0")
_SERVICES = ("httpd", "java", "kjournald", "loop3", "qemu-dm", "xend", "tapdisk2")
_ERRORS = ("Invalid argument", "Input/output error", "Connection reset by peer", "Bad address", "Broken pipe")
"""None that decides what is wrong by itself, as a full disk does: templates with those spell them out."""
_WORDS = ("unexpected", "state", "of", "the", "device", "while", "reading", "ring", "page", "setup", "mode")


def _pick(*options: str) -> Callable[[Random], str]:
    return lambda random: random.choice(options)


def _number(low: int, high: int) -> Callable[[Random], str]:
    return lambda random: str(random.randint(low, high))


def _hex(low: int, high: int, shape: str = "x") -> Callable[[Random], str]:
    return lambda random: format(random.randint(low, high), shape)


def _path(random: Random) -> str:
    folder = random.choice(("/var/lib/xen/images", "/srv/vm", "/mnt/nfs-01", "/boot", "/home/xen/domains/web.example"))
    stem = random.choice(("disk", "vmlinuz-2.6.18-xen", "root_fs", "xvda-1", "initrd.img-3.2.0", "a.b"))
    return f"{folder}/{stem}{random.choice(('', '.img', '-2', '.raw'))}"


def _uuid(random: Random) -> str:
    return str(UUID(int=random.getrandbits(128)))


def _words(random: Random) -> str:
    return " ".join(random.choices(_WORDS, k=random.randint(2, 6)))


KINDS: dict[str, Callable[[Random], str]] = {
    "action": _pick("destroy", "restart", "rename-restart", "preserve", "coredump-destroy", "coredump-restart"),
    "backend": lambda random: f"/local/domain/0/backend/vbd/{random.randint(1, 99)}/{random.choice((768, 51712))}",
    "bdf": lambda random: f"{random.randint(0, 255):02x}:{random.randint(0, 31):02x}.{random.randint(0, 7)}",
    "blkdev": _pick("sda", "sdb", "sdb1", "hda", "dm-4", "nvme0n1", "md0", "cciss/c0d0"),
    "bootlog": lambda random: f"/var/log/xen/bootloader.{random.randint(1, 99)}.log",
    "brerr": _pick("Invalid argument", "Operation not permitted", "Device or resource busy"),
    "bridge": _pick("xenbr0", "br0", "virbr1", "xenbr-dmz", "br_lan.100", "eth1", "ovsbr0"),
    "calmreason": _pick("poweroff", "reboot", "suspend"),
    "cexpr": _pick("page_to_mfn(p)", "!in_irq()", "d->tot_pages > 0", "spin_is_locked(&l)"),
    "connerr": _pick("Connection refused", "Connection reset by peer", "Connection timed out"),
    "cpu": _number(0, 255),
    "ctl": _pick("IMG", "NEWINTF", "PARAMS", "CLOSE", "PID"),
    "devid": _pick("769", "2049", "2064", "51712", "51714", "51728", "832"),
    "dm": _pick("dm-3", "dm-0", "sda1", "xvda2", "md2"),
    "domain": lambda random: random.choice(_NAMES),
    "domid": _number(1, 32751),
    "err": _pick(*_ERRORS),
    "errno": _pick("2", "5", "12", "13", "16", "22", "28", "104", "111"),
    "exit": _pick("1", "2", "3", "6", "9", "127", "255"),
    "float": lambda random: f"{random.uniform(0.1, 19.9):.6f}",
    "func": _pick("xc_dom_find_loader", "xc_dom_parse_elf_kernel", "xc_dom_do_gunzip", "xc_dom_kernel_mem"),
    "hex": lambda random: f"0x{random.randint(1, 2**32):x}",
    "hex8": _hex(0, 2**32 - 1, "08x"),
    "hexd": _hex(0x1000, 2**40),
    "host": _pick("xen1.example.com", "backup-host", "nas01", "10.1.2.3"),
    "ifname": _pick("web-eth0", "vm1.0", "xen_dmz", "tap0"),
    "imgtype": _pick("qcow3", "vhdx", "7"),
    "int": _number(3, 900_000),
    "ip": lambda random: ".".join(str(random.randint(1, 254)) for _ in range(4)),
    "key": _pick("maxmem", "on_crash", "cpu_weight", "vcpus"),
    "kib": _number(4_096, 40_000_000),
    "listen": lambda random: f"127.0.0.1:{random.randint(0, 99)}",
    "loopdev": lambda random: f"/dev/loop{random.randint(0, 255)}",
    "lv": _pick("web-disk", "root", "db01_swap", "snap.1"),
    "lvdev": _pick("/dev/vg0/web", "/dev/vg-guests/db01-disk", "/dev/mapper/vg0-root", "/dev/sdb1", "/dev/drbd3"),
    "managed": lambda random: f"/var/lib/xend/domains/{_uuid(random)}",
    "mapping": _pick("vg0-web", "vg--guests-db01--disk", "mpatha1"),
    "mib": _number(32, 65_536),
    "minus": _pick("-1", "-3", "-5", "-9", "-22"),
    "minutes": _number(120, 9_000),
    "moments": _number(20, 119),
    "params": lambda random: f"backend/vbd/{random.randint(1, 99)}/51712/params",
    "path": _path,
    "pci": lambda random: f"0000:{random.randint(0, 255):02x}:{random.randint(0, 31):02x}.{random.randint(0, 7)}",
    "pid": _number(300, 4_000_000),
    "pool": _pick("Pool-2", "batch", "Pool-node1"),
    "port": _number(1024, 65535),
    "proc": lambda random: random.choice(_SERVICES),
    "qmp": lambda random: f"/var/run/xen/qmp-libxl-{random.randint(1, 99)}",
    "rterr": _pick("No such device", "Operation not supported", "Invalid argument", "Device or resource busy"),
    "save": _pick("/var/lib/xen/save/web", "/srv/save/db01.chk", "/mnt/nfs/vm1.save"),
    "signal": _pick("6", "9", "11", "15"),
    "signame": _pick("Segmentation fault", "Killed", "Aborted"),
    "sxp": lambda random: f"/var/lib/xend/domains/{_uuid(random)}/config.sxp",
    "tdberr": _pick("Corrupt database", "IO Error", "Record exists"),
    "unit": _number(0, 7),
    "uuid": _uuid,
    "vcpu": _number(0, 63),
    "vdev": _pick("xvda", "xvdb1", "hda", "sda2", "hdc", "xvdz"),
    "vg": _pick("vg0", "prueba", "vg-guests", "VolGroup00", "data_vg.2"),
    "vglv": _pick("vg0/web-disk", "VolGroup00/root", "data_vg.2/db01_swap"),
    "vif": lambda random: f"vif{random.randint(1, 999)}.{random.randint(0, 3)}",
    "vm": lambda random: f"/vm/{_uuid(random)}",
    "word": _pick("four", "abc", "none", "x1"),
    "words": _words,
    "xspath": lambda random: f"/local/domain/{random.randint(1, 99)}/device/{random.choice(('vbd', 'vif'))}",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Filled:
    """A message as it could be printed; `fields` are the places that have a name."""

    text: str
    fields: dict[str, str] = field(default_factory=dict)
    values: tuple[str, ...] = ()


def fill(template: str, random: Random) -> Filled:
    """`{domain}`, `{need_kib:kib}`, `{_:int}`: a place's kind, and before it the field that must hold it, `_` for none.

    What a message says twice, such as the domain, is filled the same twice.
    """
    fields: dict[str, str] = {}
    values: list[str] = []
    same: dict[str, str] = {}

    def one(found: re.Match[str]) -> str:
        kind = found["kind"]
        value = same.get(kind) or KINDS[kind](random)
        if kind in _ALIKE:
            same[kind] = value
        if found["name"] != "_":
            fields[found["name"] or kind] = value
        values.append(value)
        return value

    text = PLACE.sub(one, template)
    return Filled(text, fields, tuple(values))


_ALIKE = ("domain", "domid", "path", "pci", "uuid")
"""Kinds of which a message speaks of one only."""
