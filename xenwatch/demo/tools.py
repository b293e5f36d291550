"""The small programs of the simulated host that look at it or change it: ip, mount, stat, lsblk, cat and others."""

import hashlib
import json

from xenwatch.demo.answer import Program, Said
from xenwatch.demo.create import syslog
from xenwatch.demo.guests import GROUP, GUESTS, MIB
from xenwatch.demo.tree import mapping
from xenwatch.demo.world import DemoDomain, SimulatedHost, World
from xenwatch.demo.xenstore import listing, nodes

_DEVICE = f"/dev/{GROUP}/"


def _file(host: SimulatedHost, path: str) -> str | None:
    """Its content: what the checks of remediation read."""
    files = {guest.config_path: guest.config() for guest in GUESTS.values()}
    files |= {
        "/etc/machine-id": host.machine_id + "\n",
        "/boot/guests/vmlinuz": "kernel",
        "/boot/guests/initrd.img": "rd",
    }
    return files.get(path)


def _missing(program: str, path: str, code: int = 1) -> Said:
    return Said(code, "", f"{program}: cannot access '{path}': No such file or directory\n")


def _cat(_world: World, host: SimulatedHost, rest: list[str]) -> Said | str:
    text = _file(host, rest[-1])
    return _missing("cat", rest[-1]) if text is None else text


def _sha256sum(_world: World, host: SimulatedHost, rest: list[str]) -> Said | str:
    text = _file(host, rest[-1])
    if text is None:
        return _missing("sha256sum", rest[-1])
    return f"{hashlib.sha256(text.encode()).hexdigest()}  {rest[-1]}\n"


def _ls(world: World, host: SimulatedHost, rest: list[str]) -> Said | str:
    path = rest[-1]
    kept = world.root / path.lstrip("/")
    if path.startswith("/var/lib/xenwatch-effects/") and host is world.here and kept.exists():
        return "".join(f"{name.name}\n" for name in sorted(kept.iterdir())) if kept.is_dir() else path + "\n"
    inside = [guest.config_path.rpartition("/")[2] for guest in GUESTS.values() if path.rstrip("/") == "/etc/xen"]
    return "\n".join(inside) + "\n" if inside else _missing("ls", path, 2)


def _stat(_world: World, host: SimulatedHost, rest: list[str]) -> Said | str:
    path = rest[-1]
    if "-f" in rest:
        return "4096 7864320 5120000 1966080 1790000\n"
    volume = path.removeprefix(_DEVICE)
    if path.startswith(_DEVICE) and volume in host.volumes:
        return "block special file\n" if "--format=%F" in rest else "0\n"
    text = _file(host, path)
    if text is None:
        return Said(1, "", f"stat: cannot statx '{path}': No such file or directory\n")
    return "regular file\n" if "--format=%F" in rest else f"{len(text)}\n"


def _lsblk(_world: World, host: SimulatedHost, rest: list[str]) -> Said | str:
    volume = rest[-1].removeprefix(_DEVICE)
    if volume not in host.volumes:
        return Said(32, "", f"lsblk: {rest[-1]}: not a block device\n")
    node = {"name": f"/dev/mapper/{mapping(volume)}", "type": "lvm", "mountpoint": host.mounted.get(volume)}
    return json.dumps({"blockdevices": [node]})


def _udevadm(_world: World, host: SimulatedHost, rest: list[str]) -> Said | str:
    volume = rest[-1].removeprefix("--name=").removeprefix(_DEVICE)
    return f"DM_UUID=LVM-{GROUP}{volume}\n" if volume in host.volumes else Said(1, "", "Unknown device\n")


def _blockdev(_world: World, host: SimulatedHost, rest: list[str]) -> str:
    return f"{host.volumes.get(rest[-1].removeprefix(_DEVICE), 0) * MIB}\n"


def _mount(_world: World, host: SimulatedHost, rest: list[str]) -> Said:
    volume = rest[0].removeprefix(_DEVICE)
    if volume not in host.volumes or any(volume in domain.volumes for domain in host.domains):
        return Said(32, "", f"mount: {rest[-1]}: {rest[0]} already mounted or mount point busy.\n")
    host.mounted[volume] = rest[-1]
    return Said()


def _umount(_world: World, host: SimulatedHost, rest: list[str]) -> Said:
    volume = next((lv for lv, point in host.mounted.items() if rest[-1] in (point, _DEVICE + lv)), None)
    if volume is None:
        return Said(32, "", f"umount: {rest[-1]}: not mounted.\n")
    del host.mounted[volume]
    return Said()


def _vif(host: SimulatedHost, name: str) -> tuple[DemoDomain, int] | None:
    """`vif7.0`."""
    domid, _, nth = name.removeprefix("vif").partition(".")
    domain = host.find(domid) if name.startswith("vif") else None
    return (domain, int(nth)) if domain is not None and nth.isdigit() and int(nth) < domain.vifs else None


def _ip(_world: World, host: SimulatedHost, rest: list[str]) -> Said | str:
    words = [word for word in rest if not word.startswith("-")]
    if words[:2] in (["link", "show"], ["link"]):
        found = [link for link in _links(host) if "dev" not in words or link["ifname"] == words[-1]]
        return json.dumps(found) if found else Said(1, "", f'Device "{words[-1]}" does not exist.\n')
    if words[:2] == ["link", "add"]:
        host.bridges.add(words[3] if words[2] == "name" else words[2])
        return Said()
    if words[:2] in (["link", "del"], ["link", "delete"]) and words[-1] in host.bridges:
        host.bridges.remove(words[-1])
        return Said()
    return _set_link(host, [word for word in words[2:] if word != "dev"]) if words[:2] == ["link", "set"] else ""


def _set_link(host: SimulatedHost, words: list[str]) -> Said:
    """`vif7.0 master xenbr0`, `vif7.0 nomaster`, `vif7.0 up`."""
    found = _vif(host, words[0])
    if found is None:
        known = words[0] in (*host.bridges, "eth0", "eth1")
        return Said() if known else Said(1, "", f'Cannot find device "{words[0]}"\n')
    if "nomaster" in words:
        found[0].off_bridge.add(found[1])
    elif "master" in words:
        found[0].off_bridge.discard(found[1])
    return Said()


def _links(host: SimulatedHost) -> list[dict[str, object]]:
    links: list[dict[str, object]] = [
        {"ifname": bridge, "mtu": 1500, "flags": ["BROADCAST", "UP", "LOWER_UP"], "operstate": "UP"}
        for bridge in sorted(host.bridges)
    ]
    links += [
        {"ifname": card, "mtu": 1500, "flags": ["UP", "LOWER_UP"], "master": bridge}
        for card, bridge in (("eth0", "xenbr0"), ("eth1", "xenbr1"))
        if bridge in host.bridges
    ]
    for domain in host.domains:
        for nth, bridge in enumerate(domain.bridges):
            over = {} if nth in domain.off_bridge or bridge not in host.bridges else {"master": bridge}
            links.append({"ifname": f"vif{domain.domid}.{nth}", "mtu": 1500, "flags": ["UP", "LOWER_UP"], **over})
    return links


def _xenstore_ls(_world: World, host: SimulatedHost, rest: list[str]) -> str:
    return listing(host, rest[-1] if rest and rest[-1].startswith("/") else "/")


def _xenstore_read(_world: World, host: SimulatedHost, rest: list[str]) -> Said | str:
    known = nodes(host)
    if missing := [path for path in rest if path not in known]:
        return Said(1, "", f"xenstore-read: couldn't read path {missing[0]}\n")
    return "".join(known[path] + "\n" for path in rest)


def _ping(world: World, _host: SimulatedHost, rest: list[str]) -> Said:
    domains = [*world.here.domains, *world.there.domains]
    answers = any(d.guest.address == rest[-1] and not d.paused and not d.off_bridge for d in domains)
    return Said(0 if answers else 1, "1 packets transmitted\n")


def _mdadm(world: World, host: SimulatedHost, rest: list[str]) -> Said:
    """`mdadm /dev/md0 --fail /dev/sdb1` and `--re-add`."""
    member = rest[-1].removeprefix("/dev/")
    if "--fail" in rest:
        host.failed_member = member
        syslog(world, host, f"kernel: md/raid1:md0: Disk failure on {member}, disabling device.", "kern.log")
        syslog(world, host, "kernel: md/raid1:md0: Operation continuing on 1 devices.", "kern.log")
    elif "--re-add" in rest:
        host.failed_member = None
        syslog(world, host, "kernel: md: recovery of RAID array md0", "kern.log")
        syslog(world, host, "kernel: md: md0: recovery done.", "kern.log")
    return Said()


def _crash(world: World, host: SimulatedHost, rest: list[str]) -> Said:
    """No program of a real host: the guest's kernel panics. Its `on_crash` is destroy."""
    domain = host.find(rest[0])
    if domain is None:
        return Said(1, "", f"{rest[0]} does not run\n")
    host.domains.remove(domain)
    world.log(host, f"xl-{domain.name}.log", f"Domain {domain.domid} has shut down, reason code 3 0x3")
    world.log(host, f"xl-{domain.name}.log", "Action for shutdown reason code 3 is destroy")
    return Said()


def _date(world: World, _host: SimulatedHost, _rest: list[str]) -> str:
    return f"{world.clock.now():.9f}\n"


def _df(_world: World, _host: SimulatedHost, rest: list[str]) -> str:
    return "Use%\n 34%\n" if "--output=pcent" in rest else "Avail\n20480\n"


def _nothing_runs(_world: World, _host: SimulatedHost, _rest: list[str]) -> Said:
    """For pidof and pgrep: no cluster manager, no save, no migration."""
    return Said(1)


def _which(_world: World, _host: SimulatedHost, rest: list[str]) -> str:
    return f"/usr/sbin/{rest[-1]}\n"


def _systemctl(_world: World, _host: SimulatedHost, rest: list[str]) -> str:
    if "list-units" in rest:
        units = ("xenconsoled", "xenstored", "xen-init-dom0", "ssh", "rsyslog", "cron")
        return "".join(f"{unit}.service loaded active running {unit}\n" for unit in units)
    return "" if "list-unit-files" in rest else "active\n"


TOOLS: dict[str, Program] = {
    "cat": _cat, "sha256sum": _sha256sum, "ls": _ls, "stat": _stat, "lsblk": _lsblk, "udevadm": _udevadm,
    "blockdev": _blockdev, "mount": _mount, "umount": _umount, "ip": _ip, "xenstore-ls": _xenstore_ls,
    "xenstore-read": _xenstore_read, "ping": _ping, "mdadm": _mdadm, "crash": _crash, "date": _date, "df": _df,
    "pidof": _nothing_runs, "pgrep": _nothing_runs, "which": _which, "systemctl": _systemctl,
}  # fmt: skip
"""By program."""
