"""Xen hosts in memory that answer argv by argv as the real tools do, on simulated time."""

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from xenwatch.base.clock import ManualClock
from xenwatch.remediation.doors import Answer, Command, Order

WEB = "11111111-1111-4111-8111-111111111111"
DB = "22222222-2222-4222-8222-222222222222"
STRANGER = "33333333-3333-4333-8333-333333333333"
UUIDS = {"web": WEB, "db": DB}
CONFIG = """name = "{name}"
type = "{kind}"
memory = 512
vcpus = 1
kernel = "/boot/guest"
disk = ["phy:/dev/vg0/{name},xvda,w"]
vif = ["mac=00:16:3e:00:00:0{nth},bridge=xenbr0"]
"""
HEADER = f"{'Name':40}    ID   Mem VCPUs\tState\tTime(s)   {'UUID':32}Reason-Code\n"


class StoryClock(ManualClock):
    """Whoever waits moves time, and what is due then happens."""

    def __init__(self) -> None:
        super().__init__()
        self.due: list[tuple[float, Callable[[], None]]] = []

    def later(self, seconds: float, what: Callable[[], None]) -> None:
        self.due.append((self.monotonic() + seconds, what))

    def advance(self, seconds: float) -> None:
        until = self.monotonic() + seconds
        while soon := min((d for d in self.due if d[0] <= until), key=lambda d: d[0], default=None):
            self.due.remove(soon)
            super().advance(max(0.0, soon[0] - self.monotonic()))
            soon[1]()
        super().advance(until - self.monotonic())

    async def sleep(self, seconds: float) -> None:
        self.advance(max(0.0, seconds))
        await asyncio.sleep(0)


@dataclass
class Domain:
    name: str
    uuid: str
    domid: int
    state: str = "-b----"
    mib: int = 512
    rate: float = 0.1
    """Processor seconds a second."""
    born: float = 0.0
    answers: bool = True


@dataclass
class SimHost:
    name: str
    domains: list[Domain] = field(default_factory=list)
    silent: bool = False
    garbled: bool = False
    free_mib: int = 8192
    services: dict[str, str] = field(default_factory=dict)
    daemons: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    disks: dict[str, dict[str, Any]] = field(default_factory=dict)
    loops: dict[str, str] = field(default_factory=dict)
    bridges: dict[str, dict[str, Any]] = field(default_factory=dict)
    masters: dict[str, str | None] = field(default_factory=dict)
    processes: dict[int, str] = field(default_factory=dict)
    used_percent: int = 50
    volumes: dict[str, int] = field(default_factory=dict)
    info: dict[str, str] = field(default_factory=dict)
    next_domid: int = 5


class Died(BaseException):
    """The agent is killed here."""


class World:
    """Two hosts, two guests; the Machine that remediation is given. Every effect is kept in `effects`."""

    def __init__(self, clock: StoryClock) -> None:
        self.clock = clock
        self.effects: list[str] = []
        self.faults: dict[str, dict[str, Any]] = {}
        self.die: str | None = None
        self.boots: dict[str, dict[str, Any]] = {}
        self.hosts = {name: _host(name) for name in ("xen1", "xen2")}

    # --- the Machine

    async def read(self, command: Command) -> Answer:
        host = self._host(command.host)
        if host.silent and (host.name != "xen1" or command.argv[0] in ("xl", "xm")):
            return Answer(None, "", "Connection timed out")
        answer = self._read(host, list(command.argv))
        return Answer(0, answer) if isinstance(answer, str) else answer

    async def effect(self, order: Order) -> Answer:
        words = " ".join(order.argv)
        if self.die == "before-effect":
            self.die = None
            raise Died
        self.effects.append(order.words)
        answer = self._faulted(order, words)
        if self.die == "after-effect":
            self.die = None
            raise Died
        await asyncio.sleep(0)
        return answer

    async def connect(self, address: str, port: int, deadline: float) -> bool:
        return any(d.answers and set(d.state) & set("rb") for d in self._everybody() if address == _address(d.name))

    # --- what stories do to it

    def place(self, host: str, name: str, state: str = "-b----", **more: Any) -> Domain:
        home = self.hosts[host]
        home.next_domid += 1
        guest = name.removesuffix("--incoming").removesuffix("--migratedaway")
        if "p" in state:
            more = {"rate": 0.0} | more
        domain = Domain(name, UUIDS.get(guest, STRANGER), home.next_domid, state, born=self.clock.monotonic(), **more)
        home.domains.append(domain)
        home.masters.setdefault(f"vif{domain.domid}.0", "xenbr0")
        return domain

    def remove(self, host: SimHost, domain: Domain) -> None:
        if domain in host.domains:
            host.domains.remove(domain)

    def seen(self) -> dict[str, str]:
        return {f"{h.name}/{d.name}": d.state for h in self.hosts.values() for d in h.domains}

    def running(self, guest: str) -> int:
        return sum(d.uuid == UUIDS[guest] and bool(set("rb") & set(d.state)) for d in self._everybody())

    # --- inside

    def _everybody(self) -> Iterator[Domain]:
        return (d for h in self.hosts.values() for d in h.domains)

    def _host(self, name: str) -> SimHost:
        return self.hosts[name or "xen1"]

    def _read(self, host: SimHost, argv: list[str]) -> str | Answer:
        program, *rest = argv
        return getattr(self, f"_read_{program.replace('-', '_')}", lambda *_: Answer(127, "", "not found"))(host, rest)

    def _read_xl(self, host: SimHost, rest: list[str]) -> str | Answer:
        if rest[0] == "info":
            return "".join(
                f"{key:23}: {value}\n" for key, value in (host.info | {"free_memory": str(host.free_mib)}).items()
            )
        if rest[:2] == ["list", "-l"]:
            found = next((d for d in host.domains if d.name == rest[2]), None)
            return _libxl(found) if found else Answer(1, "", "no such domain")
        if host.garbled:
            return HEADER + "web   five  512\n"
        dom0 = Domain("Domain-0", "00000000-0000-0000-0000-000000000000", 0, "r-----")
        return HEADER + "".join(self._row(d) for d in [dom0, *host.domains])

    def _row(self, d: Domain) -> str:
        cpu = d.rate * (self.clock.monotonic() - d.born)
        return f"{d.name:40} {d.domid:5} {d.mib:5} {1:5}     {d.state} {cpu:9.1f} {d.uuid}        -\n"

    def _read_xm(self, host: SimHost, rest: list[str]) -> str | Answer:
        if rest[0] == "info":
            return self._read_xl(host, rest)
        lines = str(self._read_xl(host, ["list", "-v"])).splitlines()
        return "Name  ID   Mem VCPUs      State   Time(s)\n" + "".join(line[:-46] + "\n" for line in lines[1:])

    def _read_pidof(self, host: SimHost, rest: list[str]) -> Answer:
        return Answer(0 if rest[0] in host.daemons else 1)

    def _read_ls(self, host: SimHost, rest: list[str]) -> str | Answer:
        path = rest[-1]
        inside = [name.removeprefix(path + "/") for name in host.files if name.startswith(path + "/")]
        if not inside and path not in host.files:
            return Answer(2, "", f"ls: cannot access '{path}': No such file or directory")
        return "\n".join(inside or [path]) + "\n"

    def _read_cat(self, host: SimHost, rest: list[str]) -> str | Answer:
        return host.files.get(rest[-1], Answer(1, "", "No such file or directory"))  # type: ignore[return-value]

    def _read_sha256sum(self, host: SimHost, rest: list[str]) -> str | Answer:
        text = host.files.get(rest[-1])
        return Answer(1, "", "No such file") if text is None else f"{hash(text) & 0xFFFFFFFF:064x}  {rest[-1]}\n"

    def _read_stat(self, host: SimHost, rest: list[str]) -> str | Answer:
        path = rest[-1]
        if "--format=%F" in rest and path in host.disks:
            return "block special file\n"
        if path not in host.files:
            return Answer(1, "", "No such file or directory")
        return "regular file\n" if "--format=%F" in rest else f"{len(host.files[path])}\n"

    def _read_lsblk(self, host: SimHost, rest: list[str]) -> str | Answer:
        disk = host.disks.get(rest[-1])
        if disk is None:
            return Answer(32, "", "not a block device")
        children = [{"name": n, "type": "part", "mountpoint": m} for n, m in disk.get("held", {}).items()]
        node = {"name": rest[-1], "type": "lvm", "mountpoint": disk.get("mounted"), "children": children}
        return json.dumps({"blockdevices": [node]})

    def _read_losetup(self, host: SimHost, rest: list[str]) -> str:
        found = [{"name": name} for name, file in host.loops.items() if file == rest[-1]]
        return json.dumps({"loopdevices": found}) if found else ""

    def _read_dmsetup(self, host: SimHost, rest: list[str]) -> str:
        return "1\n" if any((d.get("held") or {}).get(rest[-1]) for d in host.disks.values()) else "0\n"

    def _read_udevadm(self, host: SimHost, rest: list[str]) -> str | Answer:
        disk = host.disks.get(rest[-1].removeprefix("--name="))
        return Answer(1, "", "Unknown device") if disk is None else f"DM_UUID={disk['serial']}\n"

    def _read_blockdev(self, host: SimHost, rest: list[str]) -> str:
        return "10737418240\n"

    def _read_xenstore_ls(self, host: SimHost, rest: list[str]) -> str | Answer:
        if rest[-1].endswith("/backend") and not host.domains:
            return Answer(1, "", f"xenstore-ls: xs_directory ({rest[-1]}): No such file or directory")
        lines = [f'/local/domain/0/backend/vbd/{d.domid}/51712/params = "/dev/vg0/{d.name}"' for d in host.domains]
        return "\n".join(['/local/domain/0/name = "Domain-0"', *lines]) + "\n"

    def _read_xenstore_read(self, host: SimHost, rest: list[str]) -> str | Answer:
        if rest[0].endswith("/vm"):
            known = {d.domid: d.uuid for d in host.domains} | {0: "00000000-0000-0000-0000-000000000000"}
            return "".join(f"/vm/{known[int(path.split('/')[3])]}\n" for path in rest)
        return "xenbr0\n" if rest[0].endswith("/bridge") else Answer(1, "", "couldn't read path")

    def _read_ip(self, host: SimHost, rest: list[str]) -> str | Answer:
        links = [{"ifname": name, "mtu": 1500, "flags": ["UP"], **more} for name, more in host.bridges.items()]
        links.append({"ifname": "eth0", "master": "xenbr0", "flags": ["UP", "LOWER_UP"]})
        vifs = {f"vif{d.domid}.0" for d in host.domains}
        links += [{"ifname": v, "flags": ["UP"], "master": m} for v, m in host.masters.items() if v in vifs]
        if "dev" in rest:
            links = [link for link in links if link["ifname"] == rest[-1]]
            return json.dumps(links) if links else Answer(1, "", f'Device "{rest[-1]}" does not exist.')
        return json.dumps(links)

    def _read_df(self, host: SimHost, rest: list[str]) -> str:
        return f"Use%\n {host.used_percent}%\n" if "--output=pcent" in rest else "Avail\n 20000\n"

    def _read_date(self, host: SimHost, rest: list[str]) -> str:
        return f"{self.clock.now():.9f}\n"

    def _read_ps(self, host: SimHost, rest: list[str]) -> str:
        return "    1 /sbin/init\n" + "".join(f"{pid:5} {words}\n" for pid, words in host.processes.items())

    def _read_pgrep(self, host: SimHost, rest: list[str]) -> Answer:
        found = [words for words in host.processes.values() if "migrate" in words or "save" in words]
        return Answer(0 if found else 1, "\n".join(found))

    def _read_which(self, host: SimHost, rest: list[str]) -> str:
        return f"/usr/sbin/{rest[0]}\n"

    def _read_ping(self, host: SimHost, rest: list[str]) -> Answer:
        alive = any(d.answers and set(d.state) & set("rb") for d in self._everybody() if rest[-1] == _address(d.name))
        return Answer(0 if alive else 1)

    def _read_systemctl(self, host: SimHost, rest: list[str]) -> Answer:
        state = host.services.get(rest[-1], "inactive")
        return Answer(0 if state == "active" else 3, f"{state}\n")

    def _read_virsh(self, host: SimHost, rest: list[str]) -> Answer:
        if "dumpxml" in rest:
            return Answer(0, _XML)
        return Answer(0 if host.services.get("libvirtd") == "active" else 1)

    def _read_crm_resource(self, host: SimHost, rest: list[str]) -> str | Answer:
        return host.files.get("crm", Answer(102, "", "not connected"))  # type: ignore[return-value]

    def _read_lvs(self, host: SimHost, rest: list[str]) -> str:
        return json.dumps({"report": [{"lv": [{"lv_size": f"{host.volumes['lv']}.00"}]}]})

    def _read_vgs(self, host: SimHost, rest: list[str]) -> str:
        key = rest[rest.index("-o") + 1]
        return json.dumps({"report": [{"vg": [{key: f"{host.volumes[key]}.00"}]}]})

    def _faulted(self, order: Order, words: str) -> Answer:
        """`fails`: refused without effect; `lies`: says done and does nothing; `silent`: done, but no answer."""
        key = next((key for key in self.faults if words.startswith(key)), None)
        fault = self.faults.get(key, {}) if key is not None else {}
        how = fault.get("how")
        if key is not None and fault.get("once"):
            del self.faults[key]
        if how == "fails":
            return Answer(1, "", fault.get("err", "failed"))
        if how == "lies":
            return Answer(0)
        if how == "lost":
            return Answer(None, "", "timed out")
        answer = self._act(self._host(order.host), order)
        return Answer(None, "", "timed out") if how == "silent" else answer

    def _act(self, host: SimHost, order: Order) -> Answer:
        program, *rest = order.argv
        if order.save_as:
            host.files[f"/var/lib/xenwatch/diagnostics/{order.save_as}"] = "saved"
            return Answer(0)
        if program.startswith("libvirt:"):
            verb = {"create": "create", "resume": "unpause", "set_memory": "mem-set"}.get(program[8:], program[8:])
            guest = next(name for name, uuid in UUIDS.items() if uuid == rest[0])
            return self._xl(host, verb, [guest if verb != "create" else f"/etc/xen/{guest}.cfg", *rest[1:]])
        if program in ("xl", "xm"):
            return self._xl(host, rest[0], rest[1:])
        return self._tool(host, program, rest)

    def _xl(self, host: SimHost, verb: str, rest: list[str]) -> Answer:  # noqa: C901 - one branch a word of xl
        if verb == "create":
            return self._create(host, rest[0].rpartition("/")[2].removesuffix(".cfg"))
        if verb == "migrate":
            return self._migrate(host, rest[-2], rest[-1])
        domain = next((d for d in host.domains if rest[0] in (d.name, str(d.domid))), None)
        if domain is None:
            return Answer(1, "", f"{rest[0]} is an invalid domain identifier")
        deaf = self.boots.get(domain.name, {}).get("deaf", False)
        if verb == "destroy":
            self.remove(host, domain)
        elif verb == "shutdown" and not deaf:
            self.clock.later(8.0, lambda: self.remove(host, domain))
        elif verb == "reboot" and not deaf:
            self.remove(host, domain)
            self.clock.later(2.0, lambda: self._create(host, domain.name) and None)
        elif verb == "unpause":
            domain.state = domain.state.replace("p", "-")
            domain.state = "-b----" if domain.state == "------" else domain.state
        elif verb == "mem-set":
            domain.mib = int(rest[1]) // (1024 if int(rest[1]) > 100_000 else 1)
        elif verb == "rename":
            domain.name = rest[1]
        elif verb == "resume":
            domain.state = "-b----"
        return Answer(0)

    def _create(self, host: SimHost, name: str) -> Answer:
        disk = host.disks.get(f"/dev/vg0/{name}", {})
        if any(d.name == name for d in host.domains):
            return Answer(1, "", f'libxl: error: libxl_dom.c: Domain with name "{name}" already exists')
        if disk.get("mounted") or disk.get("held"):
            return Answer(1, "", "Device /dev/xvda is mounted in the privileged domain")
        boots = self.boots.get(name, {})
        self.place(host.name, name, boots.get("state", "-b----"), answers=boots.get("answers", True))
        return Answer(0)

    def _migrate(self, host: SimHost, name: str, address: str) -> Answer:
        """Either it arrives, or `self.boots[name]["left"]` says what an interrupted handshake leaves at both ends."""
        target = self.hosts["xen2"]
        domain = next(d for d in host.domains if d.name == name)
        left = self.boots.get(name, {}).get("left")
        if left is None:
            self.remove(host, domain)
            self.place(target.name, name)
            return Answer(0)
        self.leave(name, *left)
        return Answer(1, "", "migration sender: error")

    def leave(self, name: str, source: str, target: str) -> None:
        """Put both ends into a state of the handshake, as recovery.py names them."""
        for host in self.hosts.values():
            host.domains = [d for d in host.domains if d.uuid != UUIDS[name]]
        here = {"run": (name, "-b----"), "suspended": (name, "---s--"), "away": (f"{name}--migratedaway", "---s--")}
        there = {"incoming": (f"{name}--incoming", "--p---"), "paused": (name, "--p---"), "run": (name, "-b----")}
        for host, found in (("xen1", here.get(source)), ("xen2", there.get(target))):
            if found:
                self.place(host, *found)

    def _tool(self, host: SimHost, program: str, rest: list[str]) -> Answer:  # noqa: C901 - one branch a tool
        if program == "systemctl":
            host.services[rest[-1]] = "active"
        elif program == "ip" and "master" in rest:
            host.masters[rest[3]] = rest[5]
        elif program == "dmsetup":
            for disk in host.disks.values():
                (disk.get("held") or {}).pop(rest[-1], None)
        elif program == "losetup":
            host.loops.pop(rest[-1], None)
        elif program == "lvextend":
            host.volumes["lv"] += int(rest[1].strip("+m"))
        elif program in ("journalctl", "logrotate", "apt-get"):
            host.used_percent -= 10
        elif program == "python3":
            next(d for d in host.domains if str(d.domid) == rest[-1]).state = "-b----"
        elif program == "touch":
            host.files[rest[-1]] = " "
        elif program == "kill":
            for pid in rest[1:]:
                host.processes.pop(int(pid), None)
        return Answer(0)


def _address(name: str) -> str:
    return {"web": "10.0.0.80", "db": "10.0.0.81"}.get(name, "")


def _host(name: str) -> SimHost:
    files = {f"/etc/xen/{g}.cfg": CONFIG.format(name=g, kind="pv", nth=n) for n, g in enumerate(UUIDS, 1)}
    files |= {
        "/boot/guest": "kernel",
        "/etc/machine-id": f"{name}-id\n",
        "/proc/cpuinfo": "vendor_id\t: GenuineIntel\n",
    }
    info = {
        "xen_major": "4", "xen_minor": "17", "nr_cpus": "4", "virt_caps": "pv hvm hap shadow",
        "xen_caps": "xen-3.0-x86_64 hvm-3.0-x86_64", "hw_caps": "bfebfbff:77faf3ff",
    }  # fmt: skip
    disks = {f"/dev/vg0/{g}": {"serial": f"LVM-{g}"} for g in UUIDS}
    return SimHost(name, files=files, disks=disks, bridges={"xenbr0": {}}, info=info, services={"libvirtd": "active"})


def _libxl(domain: Domain) -> str:
    config = {
        "c_info": {"type": "pv", "name": domain.name, "uuid": domain.uuid},
        "b_info": {"max_vcpus": 1, "max_memkb": domain.mib * 1024, "target_memkb": domain.mib * 1024, "type.pv": {}},
        "disks": [{"pdev_path": f"/dev/vg0/{domain.name}", "vdev": "xvda", "readwrite": 1}],
        "nics": [{"bridge": "xenbr0", "mac": "00:16:3e:00:00:01"}],
    }
    return json.dumps([{"domid": domain.domid, "config": config}])


_XML = f"""<domain type='xen'><name>web</name><uuid>{WEB}</uuid><memory unit='KiB'>524288</memory>
<currentMemory unit='KiB'>524288</currentMemory><vcpu>1</vcpu><os><type machine='xenpv'>linux</type></os>
<devices><disk type='block' device='disk'><source dev='/dev/vg0/web'/><target dev='xvda'/></disk>
<interface type='bridge'><source bridge='xenbr0'/></interface></devices></domain>"""
