"""What the tools that only look answer on a simulated host, in the words of the real ones."""

import json
from collections.abc import Callable

from simulated_host import WEB, Domain, Hosts, SimHost

from xenwatch.remediation.machine.port import Answer

HEADER = f"{'Name':40}    ID   Mem VCPUs\tState\tTime(s)   {'UUID':32}Reason-Code\n"


Read = Callable[[Hosts, SimHost, list[str]], "str | Answer"]
READS: dict[str, Read] = {}
"""By program; each is given the arguments."""


def answers(program: str) -> Callable[[Read], Read]:
    def keep(read: Read) -> Read:
        READS[program] = read
        return read

    return keep


@answers("xl")
def _xl(world: Hosts, host: SimHost, rest: list[str]) -> str | Answer:
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
    return HEADER + "".join(_row(world, d) for d in [dom0, *host.domains])


def _row(world: Hosts, d: Domain) -> str:
    cpu = d.rate * (world.clock.monotonic() - d.born)
    return f"{d.name:40} {d.domid:5} {d.mib:5} {1:5}     {d.state} {cpu:9.1f} {d.uuid}        -\n"


@answers("xm")
def _xm(world: Hosts, host: SimHost, rest: list[str]) -> str | Answer:
    if rest[0] == "info":
        return _xl(world, host, rest)
    lines = str(_xl(world, host, ["list", "-v"])).splitlines()
    return "Name  ID   Mem VCPUs      State   Time(s)\n" + "".join(line[:-46] + "\n" for line in lines[1:])


@answers("pidof")
def _pidof(world: Hosts, host: SimHost, rest: list[str]) -> Answer:
    return Answer(0 if rest[0] in host.daemons else 1)


@answers("ls")
def _ls(world: Hosts, host: SimHost, rest: list[str]) -> str | Answer:
    path = rest[-1]
    inside = [name.removeprefix(path + "/") for name in host.files if name.startswith(path + "/")]
    if not inside and path not in host.files:
        return Answer(2, "", f"ls: cannot access '{path}': No such file or directory")
    return "\n".join(inside or [path]) + "\n"


@answers("cat")
def _cat(world: Hosts, host: SimHost, rest: list[str]) -> str | Answer:
    return host.files.get(rest[-1], Answer(1, "", "No such file or directory"))  # type: ignore[return-value]


@answers("sha256sum")
def _sha256sum(world: Hosts, host: SimHost, rest: list[str]) -> str | Answer:
    text = host.files.get(rest[-1])
    return Answer(1, "", "No such file") if text is None else f"{hash(text) & 0xFFFFFFFF:064x}  {rest[-1]}\n"


@answers("stat")
def _stat(world: Hosts, host: SimHost, rest: list[str]) -> str | Answer:
    path = rest[-1]
    if "--format=%F" in rest and path in host.disks:
        return "block special file\n"
    if path not in host.files:
        return Answer(1, "", "No such file or directory")
    return "regular file\n" if "--format=%F" in rest else f"{len(host.files[path])}\n"


@answers("lsblk")
def _lsblk(world: Hosts, host: SimHost, rest: list[str]) -> str | Answer:
    disk = host.disks.get(rest[-1])
    if disk is None:
        return Answer(32, "", "not a block device")
    children = [{"name": n, "type": "part", "mountpoint": m} for n, m in disk.get("held", {}).items()]
    node = {"name": rest[-1], "type": "lvm", "mountpoint": disk.get("mounted"), "children": children}
    return json.dumps({"blockdevices": [node]})


@answers("losetup")
def _losetup(world: Hosts, host: SimHost, rest: list[str]) -> str:
    found = [{"name": name} for name, file in host.loops.items() if file == rest[-1]]
    return json.dumps({"loopdevices": found}) if found else ""


@answers("dmsetup")
def _dmsetup(world: Hosts, host: SimHost, rest: list[str]) -> str:
    if "-j" in rest:
        return "vg0-pool-tpool\n"
    return "1\n" if any((d.get("held") or {}).get(rest[-1]) for d in host.disks.values()) else "0\n"


@answers("udevadm")
def _udevadm(world: Hosts, host: SimHost, rest: list[str]) -> str | Answer:
    disk = host.disks.get(rest[-1].removeprefix("--name="))
    return Answer(1, "", "Unknown device") if disk is None else f"DM_UUID={disk['serial']}\n"


@answers("blockdev")
def _blockdev(world: Hosts, host: SimHost, rest: list[str]) -> str:
    return "10737418240\n"


@answers("xenstore-ls")
def _xenstore_ls(world: Hosts, host: SimHost, rest: list[str]) -> str | Answer:
    if rest[-1].endswith("/backend") and not host.domains:
        return Answer(1, "", f"xenstore-ls: xs_directory ({rest[-1]}): No such file or directory")
    lines = [f'/local/domain/0/backend/vbd/{d.domid}/51712/params = "/dev/vg0/{d.name}"' for d in host.domains]
    return "\n".join(['/local/domain/0/name = "Domain-0"', *lines]) + "\n"


@answers("xenstore-read")
def _xenstore_read(world: Hosts, host: SimHost, rest: list[str]) -> str | Answer:
    if rest[0].endswith("/vm"):
        known = {d.domid: d.uuid for d in host.domains} | {0: "00000000-0000-0000-0000-000000000000"}
        return "".join(f"/vm/{known[int(path.split('/')[3])]}\n" for path in rest)
    return "xenbr0\n" if rest[0].endswith("/bridge") else Answer(1, "", "couldn't read path")


@answers("ip")
def _ip(world: Hosts, host: SimHost, rest: list[str]) -> str | Answer:
    links = [{"ifname": name, "mtu": 1500, "flags": ["UP"], **more} for name, more in host.bridges.items()]
    links.append({"ifname": "eth0", "master": "xenbr0", "flags": ["UP", "LOWER_UP"]})
    vifs = {f"vif{d.domid}.0" for d in host.domains}
    links += [{"ifname": v, "flags": ["UP"], "master": m} for v, m in host.masters.items() if v in vifs]
    if "dev" in rest:
        links = [link for link in links if link["ifname"] == rest[-1]]
        return json.dumps(links) if links else Answer(1, "", f'Device "{rest[-1]}" does not exist.')
    return json.dumps(links)


@answers("df")
def _df(world: Hosts, host: SimHost, rest: list[str]) -> str:
    return f"Use%\n {host.used_percent}%\n" if "--output=pcent" in rest else "Avail\n 20000\n"


@answers("date")
def _date(world: Hosts, host: SimHost, rest: list[str]) -> str:
    return f"{world.clock.now():.9f}\n"


@answers("ps")
def _ps(world: Hosts, host: SimHost, rest: list[str]) -> str:
    return "    1 /sbin/init\n" + "".join(f"{pid:5} {words}\n" for pid, words in host.processes.items())


@answers("pgrep")
def _pgrep(world: Hosts, host: SimHost, rest: list[str]) -> Answer:
    found = [words for words in host.processes.values() if "migrate" in words or "save" in words]
    return Answer(0 if found else 1, "\n".join(found))


@answers("which")
def _which(world: Hosts, host: SimHost, rest: list[str]) -> str:
    return f"/usr/sbin/{rest[0]}\n"


@answers("ping")
def _ping(world: Hosts, host: SimHost, rest: list[str]) -> Answer:
    return Answer(0 if world.alive(rest[-1]) else 1)


@answers("systemctl")
def _systemctl(world: Hosts, host: SimHost, rest: list[str]) -> Answer:
    if "--property=LoadState" in rest:
        return Answer(0, "loaded\n" if rest[-1] in host.services else "not-found\n")
    state = host.services.get(rest[-1], "inactive")
    return Answer(0 if state == "active" else 3, f"{state}\n")


@answers("virsh")
def _virsh(world: Hosts, host: SimHost, rest: list[str]) -> Answer:
    if "dumpxml" in rest:
        return Answer(0, _XML)
    return Answer(0 if host.services.get("libvirtd") == "active" else 1)


@answers("fence_ipmilan")
def _fence_ipmilan(world: Hosts, host: SimHost, rest: list[str]) -> Answer:
    board = world.hosts[rest[0].removeprefix("--ip=bmc-")]
    code = {"ON": 0, "OFF": 2}.get(board.power, 1)
    return Answer(code, f"Status: {board.power}\n") if code != 1 else Answer(1, "", "Failed: Unable to obtain status")


@answers("crm_resource")
def _crm_resource(world: Hosts, host: SimHost, rest: list[str]) -> str | Answer:
    return host.files.get("crm", Answer(102, "", "not connected"))  # type: ignore[return-value]


@answers("lvs")
def _lvs(world: Hosts, host: SimHost, rest: list[str]) -> str:
    return json.dumps({"report": [{"lv": [{"lv_size": f"{host.volumes['lv']}.00"}]}]})


@answers("vgs")
def _vgs(world: Hosts, host: SimHost, rest: list[str]) -> str:
    key = rest[rest.index("-o") + 1]
    return json.dumps({"report": [{"vg": [{key: f"{host.volumes[key]}.00"}]}]})


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
