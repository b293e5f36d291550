"""The files of /proc, /sys and /etc of the simulated host, written as time passes."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from xenwatch.demo.guests import GROUP, GUESTS, MIB
from xenwatch.demo.world import DOM0_MIB, Domain, SimulatedHost, World, packets, requests

_SECTOR = 512
_DAEMONS = {
    780: ("oxenstored", "/usr/lib/xen-4.17/bin/oxenstored --pid-file /run/xenstore.pid", 21480),
    798: ("xenconsoled", "/usr/lib/xen-4.17/bin/xenconsoled --log=all --log-dir=/var/log/xen/console", 9120),
    817: (
        "xen-qemu-system",
        "/usr/libexec/xen-qemu-system-i386 -xen-domid 0 -xen-attach -name dom0 -nographic -M xenpv",
        48200,
    ),
}
"""By process id: name, command line, resident pages."""
_UPLINKS = {"xenbr0": "eth0", "xenbr1": "eth1"}
_COLUMNS = "bytes    packets errs drop fifo"
_MEMBERS = ("sda1", "sdb1")


class Tree:
    """The files below a root, of which only those that changed are written."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._there: dict[str, str] = {}

    def write(self, wanted: Mapping[str, str]) -> None:
        """Make the files as they are `wanted`, by path; the others that it made go away."""
        for path in self._there.keys() - wanted.keys():
            (self.root / path).unlink(missing_ok=True)
            self._prune((self.root / path).parent)
        for path, content in wanted.items():
            if self._there.get(path) != content:
                self._put(self.root / path, content)
        self._there = dict(wanted)

    def _put(self, place: Path, content: str) -> None:
        place.parent.mkdir(parents=True, exist_ok=True)
        if content.startswith("-> "):
            place.unlink(missing_ok=True)
            place.symlink_to(content[3:])
            return
        written = place.with_name(place.name + "~new")
        written.write_text(content)
        written.rename(place)  # whoever reads it sees the old or the new one, whole

    def _prune(self, folder: Path) -> None:
        while folder != self.root and not any(folder.iterdir()):
            folder.rmdir()
            folder = folder.parent


def files_of(world: World) -> dict[str, str]:
    """The files of the first host as it is now, by path; `-> path` is a link."""
    return dict(_files(world, world.here))


def _files(world: World, host: SimulatedHost) -> Iterator[tuple[str, str]]:
    yield from _fixed(host)
    yield from _kernel(world, host)
    yield "proc/mdstat", mdstat(host)
    yield "proc/net/dev", _net_dev(host)
    yield from _interfaces(host)
    for nth, volume in enumerate(sorted(host.volumes)):
        yield f"sys/block/dm-{nth}/dev", f"253:{nth}\n"
        yield f"sys/block/dm-{nth}/dm/name", mapping(volume) + "\n"
        yield f"sys/block/dm-{nth}/size", f"{host.volumes[volume] * MIB // _SECTOR}\n"
    for domain in host.domains:
        yield from _backends(domain)


def _fixed(host: SimulatedHost) -> Iterator[tuple[str, str]]:
    yield "proc/xen/capabilities", "control_d\n"
    yield "etc/lvm/lvm.conf", "# as installed\n"
    yield "etc/machine-id", host.machine_id + "\n"
    yield "etc/hostname", host.name + "\n"
    yield "proc/sys/kernel/hostname", host.name + "\n"
    yield "proc/sys/kernel/osrelease", "6.1.0-49-amd64\n"
    yield "sys/hypervisor/version/major", "4\n"
    yield "sys/hypervisor/version/minor", "17\n"
    yield "sys/hypervisor/version/extra", ".5\n"
    yield "sys/hypervisor/properties/virtual_start", "ffff800000000000\n"
    yield "sys/module/xen_blkback/parameters/log_stats", "0\n"
    yield "run/xenstore.pid", "780\n"
    for disk, size in (("sda", 1875385008), ("sdb", 1875385008), ("md0", 1875122176)):
        yield f"sys/block/{disk}/size", f"{size}\n"
    for guest in GUESTS.values():
        yield guest.config_path.lstrip("/"), guest.config()
    for name in ("vmlinuz", "initrd.img"):
        yield f"boot/guests/{name}", "a guest's kernel or ramdisk\n"


def _kernel(world: World, host: SimulatedHost) -> Iterator[tuple[str, str]]:
    ticks = int(host.dom0_seconds * 100)
    cpu = f"cpu  {ticks // 2} 0 {ticks // 3} {ticks * 12} {ticks // 40} 0 {ticks // 50} {ticks // 30} 0 0"
    yield "proc/stat", f"{cpu}\nbtime {int(world.started)}\n"
    kib = DOM0_MIB * 1024
    free = 611000 + int(host.dom0_seconds) % 9000
    values = {
        "MemTotal": kib - 121000, "MemFree": free, "MemAvailable": free + 702000, "Buffers": 61200, "Cached": 598400,
        "SwapTotal": 2097148, "SwapFree": 2089000, "Dirty": 320, "Slab": 94448,
    }  # fmt: skip
    yield "proc/meminfo", "".join(f"{key + ':':15}{value:9} kB\n" for key, value in values.items())
    yield "sys/devices/system/xen_memory/xen_memory0/target_kb", f"{kib}\n"
    yield "sys/devices/system/xen_memory/xen_memory0/info/current_kb", f"{kib}\n"
    mounts = ["/dev/sda2 / ext4 rw,relatime 0 0", "proc /proc proc rw,nosuid 0 0"]
    mounts += [f"/dev/mapper/{mapping(lv)} {point} ext4 rw,relatime 0 0" for lv, point in host.mounted.items()]
    yield "proc/mounts", "".join(f"{line}\n" for line in mounts)
    for pid, (name, words, pages) in _DAEMONS.items():
        yield f"proc/{pid}/cmdline", words.replace(" ", "\0") + "\0"
        yield f"proc/{pid}/comm", name + "\n"
        used = ticks // (pid - 700)
        times = f"S 1 1 1 0 -1 4194560 1 1 1 1 {used} 0 0 0 20 0 1 0 5000 {pages * 9000} {pages}"
        yield f"proc/{pid}/stat", f"{pid} ({name}) {times} 18446744073709551615 1 1 0\n"


def mapping(volume: str) -> str:
    """What device-mapper calls a volume: it doubles the hyphens of a name."""
    return f"{GROUP}-{volume.replace('-', '--')}"


def mdstat(host: SimulatedHost) -> str:
    """/proc/mdstat: md0 carries the volume group."""
    members = " ".join(f"{m}[{n}]" + "(F)" * (m == host.failed_member) for n, m in reversed(list(enumerate(_MEMBERS))))
    good = "".join("_" if m == host.failed_member else "U" for m in _MEMBERS)
    return (
        f"Personalities : [raid1] \nmd0 : active raid1 {members}\n      937561088 blocks super 1.2 "
        f"[2/{good.count('U')}] [{good}]\n      bitmap: 1/7 pages [4KB], 65536KB chunk\n\nunused devices: <none>\n"
    )


def _net_dev(host: SimulatedHost) -> str:
    lines = [
        "Inter-|   Receive                                                |  Transmit",
        f" face |{_COLUMNS} frame compressed multicast|{_COLUMNS} colls carrier compressed",
    ]
    totals: dict[str, tuple[float, float]] = {}
    for domain in host.domains:
        for nth, bridge in enumerate(domain.bridges):
            # dom0 receives what the guest sends
            sent, received = domain.traffic.sent / domain.vifs, domain.traffic.received / domain.vifs
            lines.append(_counted(f"vif{domain.domid}.{nth}", sent, received))
            over = totals.get(bridge, (0.0, 0.0))
            totals[bridge] = (over[0] + sent, over[1] + received)
    for bridge, card in _UPLINKS.items():
        sent, received = totals.get(bridge, (0.0, 0.0))
        lines.append(_counted(card, 4.1e9 + received, 9.7e9 + sent))
    lines += [_counted(bridge, *totals.get(bridge, (0.0, 0.0))) for bridge in sorted(host.bridges)]
    return "\n".join([*lines, _counted("lo", 81240.0, 81240.0)]) + "\n"


def _counted(name: str, received: float, sent: float) -> str:
    return f"{name:>6}: {int(received)} {packets(received)} 0 0 0 0 0 0 {int(sent)} {packets(sent)} 0 0 0 0 0 0"


def _interfaces(host: SimulatedHost) -> Iterator[tuple[str, str]]:
    names = ["eth0", "eth1", *sorted(host.bridges)]
    on = {card: bridge for bridge, card in _UPLINKS.items() if bridge in host.bridges}
    for domain in host.domains:
        for nth, bridge in enumerate(domain.bridges):
            names.append(f"vif{domain.domid}.{nth}")
            if nth not in domain.off_bridge and bridge in host.bridges:
                on[names[-1]] = bridge
    for name in [*names, "lo"]:
        yield f"sys/class/net/{name}/operstate", "unknown\n" if name == "lo" else "up\n"
        yield f"sys/class/net/{name}/mtu", "65536\n" if name == "lo" else "1500\n"
        yield f"sys/class/net/{name}/carrier", "1\n"
    for name, bridge in on.items():
        yield f"sys/class/net/{name}/master", f"-> ../{bridge}"
        yield f"sys/class/net/{name}/brport/state", "3\n"
        yield f"sys/class/net/{bridge}/brif/{name}", f"-> ../../{name}/brport"
    for nth, bridge in enumerate(sorted(host.bridges)):
        yield f"sys/class/net/{bridge}/bridge/bridge_id", f"8000.3cecef1a2b0{nth}\n"
        yield f"sys/class/net/{bridge}/bridge/stp_state", "0\n"
        yield f"sys/class/net/{bridge}/bridge/vlan_filtering", "0\n"
        yield f"sys/class/net/{bridge}/bridge/topology_change_detected", "0\n"


def _backends(domain: Domain) -> Iterator[tuple[str, str]]:
    bus, traffic = "sys/bus/xen-backend/devices", domain.traffic
    yield f"{bus}/console-{domain.domid}-0/devtype", "console\n"
    for nth in range(domain.vifs):
        yield f"{bus}/vif-{domain.domid}-{nth}/devtype", "vif\n"
    for nth, number in enumerate(domain.disk_numbers):
        part = 0.97 if nth == 0 else 0.03 / nth
        folder = f"{bus}/vbd-{domain.domid}-{number}"
        numbers = {
            "rd_req": requests(traffic.read * part), "wr_req": requests(traffic.written * part),
            "rd_sect": int(traffic.read * part) // _SECTOR, "wr_sect": int(traffic.written * part) // _SECTOR,
            "f_req": requests(traffic.written * part) // 50, "ds_req": 0, "oo_req": 0,
        }  # fmt: skip
        yield f"{folder}/devtype", "vbd\n"
        for name, value in numbers.items():
            yield f"{folder}/statistics/{name}", f"{value}\n"
