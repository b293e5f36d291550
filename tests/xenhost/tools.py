"""What Xen's and Linux's own tools say of a host, as the series that xenwatch should export for it."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

MIB = 1 << 20
DISK_ROW = re.compile(r"VBD BlkBack (\d+) .*OO: +(\d+) +RD: +(\d+) +WR: +(\d+) +RSECT: +(\d+) +WSECT: +(\d+)")
SECTION = re.compile(r"^### (\S+)$", re.MULTILINE)
COMMANDS = {
    "list": "xl list -v",
    "vcpus": "xl vcpu-list",
    "info": "xl info -n",
    "pools": "xl cpupool-list",
    "credit": "xl sched-credit2",
    "top": "xentop -b -i 1 -f -n -x -v",
    "store": "xenstore-ls -f",
    "vgs": "vgs --reportformat json --units b --nosuffix -o vg_name,vg_size,vg_free,lv_count,snap_count,vg_mda_free",
    "pvs": "pvs --reportformat json --units b --nosuffix -o vg_name,pv_name,pv_size,pv_free",
    "lvs": "lvs --reportformat json --units b --nosuffix -o vg_name,lv_name,lv_size,lv_attr",
    "links": "ip -s -d -j link",
    "fdb": "bridge -j fdb show br xenbr0",
    "sysfs": "grep -H . /sys/bus/xen-backend/devices/vbd-*/statistics/*"
    " /sys/devices/system/xen_memory/xen_memory0/target_kb"
    " /sys/module/xen_blkback/parameters/log_stats /sys/module/loop/parameters/max_loop"
    " /sys/kernel/kexec_crash_loaded",
    "proc": "grep -H . /proc/stat /proc/meminfo /proc/pressure/*",
    "daemons": "for d in xenstored xenconsoled libvirtd; do p=$(pgrep -xo $d) || continue;"
    " echo $d $(ps -o rss= -p $p) $(ls /proc/$p/fd | wc -l) $(awk '/open files/ {print $4}' /proc/$p/limits); done",
    "loops": "losetup -nl -O NAME",
    "irqs": "grep -c ' xen-' /proc/interrupts; dmesg | grep -o 'Using .* ABI'",
    "consoles": 'stat -c "%n %s %Y" /var/log/xen/console/guest-*.log',
    "auto": "ls /etc/xen/auto 2>/dev/null",
    "virsh": "virsh -c xen:///system dominfo Domain-0",
    "clients": "virt-admin server-clients-info libvirtd",
}  # fmt: skip
SCRIPT = "\n".join(
    f"echo; echo '### {name}'; timeout 60 sh -c '{command}' 2>/dev/null"
    for name, command in ((name, command.replace("'", "'\\''")) for name, command in COMMANDS.items())
)


class Told(NamedTuple):
    """One number or, for an `_info` family, the labels that some series must have."""

    family: str
    labels: dict[str, str]
    value: float
    by: str
    slack: float = 0.0


def told(output: str) -> list[Told]:
    """Everything that the tools' output says."""
    parts = SECTION.split(output)[1:]
    sections = {name: text.strip("\n") for name, text in zip(parts[::2], parts[1::2], strict=True)}
    readers: tuple[Callable[[dict[str, str]], Iterator[Told]], ...] = (
        _domains, _vcpus, _hypervisor, _pools, _xentop, _xenstore, _devices, _lvm, _links, _vifs, _vbds, _dom0,
        _daemons, _consoles, _rest,
    )  # fmt: skip
    return [row for reader in readers for row in reader(sections)]


def domids(sections: dict[str, str]) -> dict[str, str]:
    """Names by domid."""
    return {row[1]: row[0] for row in _rows(sections["list"])}


def _rows(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()[1:] if line.strip()]


def _domains(sections: dict[str, str]) -> Iterator[Told]:
    by = "xl list -v"
    states: Counter[str] = Counter()
    for name, domid, memory, vcpus, letters, seconds, uuid, *_ in _rows(sections["list"]):
        yield Told("xen_domain_info", {"domain": name, "uuid": uuid, "domid": domid}, 1, by)
        yield Told("xen_domain_memory_current_bytes", {"domain": name}, float(memory) * MIB, by, MIB)
        yield Told("xen_domain_vcpus", {"domain": name, "kind": "online"}, float(vcpus), by)
        yield Told("xen_domain_cpu_seconds_total", {"domain": name}, float(seconds), by, 0.2)
        # running and blocked take turns; what must agree is that it is neither paused nor dying
        for state, letter in (("paused", "p"), ("shutdown", "s"), ("crashed", "c"), ("dying", "d")):
            yield Told("xen_domain_state", {"domain": name, "state": state}, float(letter in letters), by)
            states[state] += letter in letters
    for state, count in states.items():
        yield Told("xen_hypervisor_domains", {"state": state}, float(count), by)
    yield Told("xen_hypervisor_zombie_domains", {}, float(sections["list"].count("(null)")), by)


def _vcpus(sections: dict[str, str]) -> Iterator[Told]:
    by, rows = "xl vcpu-list", _rows(sections["vcpus"])
    cpus = float(_field(sections["info"], "nr_cpus"))
    for row in rows:
        labels = {"domain": row[0], "vcpu": row[2]}
        yield Told("xen_domain_vcpu_seconds_total", labels, float(row[5]), by, 0.2)
        yield Told("xen_domain_vcpu_cpu", labels, float(row[3]), by, cpus - 1)
        for kind, mask in (("hard", row[6]), ("soft", row[8])):
            yield Told("xen_domain_vcpu_affinity_cpus", {**labels, "kind": kind}, cpus if mask == "all" else 1, by)
        for state, letter in (("paused", "p"), ("offline", "-")):
            yield Told(
                "xen_domain_vcpu_state", {**labels, "state": state}, float(row[4][2] == "p" and letter == "p"), by
            )
    yield Told("xen_hypervisor_vcpus_allocated", {}, float(len(rows)), by)


def _field(text: str, name: str) -> str:
    found = re.search(rf"^{name}\s*: (.*)$", text, re.MULTILINE)
    return found[1].strip() if found else ""


def _hypervisor(sections: dict[str, str]) -> Iterator[Told]:
    by, info = "xl info -n", sections["info"]
    about = {"xen_version": _field(info, "xen_version"), "scheduler": _field(info, "xen_scheduler"),
             "virt_caps": _field(info, "virt_caps")}  # fmt: skip
    yield Told("xen_hypervisor_info", about, 1, by)
    for state, field in (("all", "nr_cpus"), ("free", "free_cpus")):
        yield Told("xen_hypervisor_cpus", {"state": state}, float(_field(info, field)), by)
    yield Told("xen_hypervisor_cpu_frequency_hertz", {}, float(_field(info, "cpu_mhz")) * 1e6, by, 1e6)
    for field in ("total_memory", "free_memory", "outstanding_claims"):
        family = f"xen_hypervisor_memory_{field.removesuffix('_memory')}_bytes"
        yield Told(family, {}, float(_field(info, field)) * MIB, by, MIB)
    for kind in ("freed", "used"):
        value = float(_field(info, f"sharing_{kind}_memory")) * MIB
        yield Told("xen_hypervisor_memory_shared_bytes", {"kind": kind}, value, by, MIB)
    topology, numa = info.split("numa_info")
    for cpu, core, socket, node in re.findall(r"^ +(\d+): +(\d+) +(\d+) +(\d+)$", topology, re.MULTILINE):
        labels = {"cpu": cpu, "core": core, "socket": socket, "node": node}
        yield Told("xen_hypervisor_cpu_topology_info", labels, 1, by)
    for node, size, free in re.findall(r"^ +(\d+): +(\d+) +(\d+) +[\d,]+$", numa, re.MULTILINE):
        yield Told("xen_numa_node_memory_total_bytes", {"node": node}, float(size) * MIB, by)
        yield Told("xen_numa_node_memory_free_bytes", {"node": node}, float(free) * MIB, by, MIB)


def _pools(sections: dict[str, str]) -> Iterator[Told]:
    by = "xl cpupool-list, xl sched-credit2"
    for pool, cpus, scheduler, _active, domains in _rows(sections["pools"]):
        yield Told("xen_cpupool_info", {"pool": pool, "scheduler": scheduler}, 1, by)
        yield Told("xen_cpupool_cpus", {"pool": pool}, float(cpus), by)
        yield Told("xen_cpupool_domains", {"pool": pool}, float(domains), by)
    for pool, limit in re.findall(r"Cpupool (\S+):.*ratelimit=(\d+)us", sections["credit"]):
        yield Told("xen_scheduler_ratelimit_seconds", {"pool": pool}, float(limit) / 1e6, by, 1e-9)
    for name, weight in re.findall(r"^(\S+) +\d+ +(\d+) +\d+$", sections["credit"], re.MULTILINE):
        yield Told("xen_domain_sched_weight", {"domain": name}, float(weight), by)


def _xentop(sections: dict[str, str]) -> Iterator[Told]:
    by = "xentop -b -i 1 -f"
    name = ""
    for line in sections["top"].splitlines():
        words = line.split()
        if len(words) > 16 and words[0] != "NAME":
            name = words[0]
            # libxl gives a guest a MiB more than its static maximum
            yield Told("xen_domain_memory_maximum_bytes", {"domain": name}, float(words[6]) * 1024, by, 2 * MIB)
        elif disk := re.match(
            r"VBD BlkBack (\d+) .*OO: +(\d+) +RD: +(\d+) +WR: +(\d+) +RSECT: +(\d+) +WSECT: +(\d+)", line
        ):
            labels = {"domain": name, "device": _device(int(disk[1]))}
            numbers = [float(n) for n in disk.groups()[1:]]
            for kind, value in zip(
                ("out_of_requests_total", "read_requests_total", "write_requests_total"), numbers, strict=False
            ):
                yield Told(f"xen_domain_vbd_{kind}", labels, value, by)
            yield Told("xen_domain_vbd_read_bytes_total", labels, numbers[3] * 512, by)
            yield Told("xen_domain_vbd_written_bytes_total", labels, numbers[4] * 512, by)


def _device(number: int) -> str:
    """Xvd's major is 202, sixteen minors a disk, xen: docs/misc/vbd-interface.txt."""
    return f"xvd{chr(ord('a') + (number & 0xFF) // 16)}"


def _nodes(text: str) -> dict[str, str]:
    return dict(re.findall(r'^(/\S+) = "(.*?)"', text, re.MULTILINE))


def _xenstore(sections: dict[str, str]) -> Iterator[Told]:
    by, nodes = "xenstore-ls -f", _nodes(sections["store"])
    for domid, name in domids(sections).items():
        home = f"/local/domain/{domid}"
        for family, key in (("target", "target"), ("static_max", "static-max")):
            if value := nodes.get(f"{home}/memory/{key}"):
                yield Told(f"xen_domain_memory_{family}_bytes", {"domain": name}, float(value) * 1024, by)
        if start := nodes.get(f"{nodes.get(f'{home}/vm', '')}/start_time"):
            yield Told("xen_domain_start_time_seconds", {"domain": name}, float(start), by, 0.01)
        if domid == "0":  # counted every five minutes: a young guest's are not yet, and dom0's come and go with guests
            count = sum(path == home or path.startswith(f"{home}/") for path in nodes)
            yield Told("xen_xenstore_nodes", {"domain": name}, float(count), by, count)


def _devices(sections: dict[str, str]) -> Iterator[Told]:
    by, nodes, names = "xenstore-ls -f", _nodes(sections["store"]), domids(sections)
    for path, value in nodes.items():
        back = re.fullmatch(r"/local/domain/0/backend/(\w+)/(\d+)/(\d+)/state", path)
        front = re.fullmatch(r"/local/domain/(\d+)/device/(\w+)/(\d+)/state", path)
        if (back and back[2] == "0") or (front and front[1] == "0"):
            continue  # Debian 13's QEMU in dom0 makes a network card for dom0 itself (qnic): no device of a guest
        if back and back[2] in names:
            labels = {"domain": names[back[2]], "class": back[1], "devid": back[3]}
            yield Told("xen_xenbus_backend_state", labels, float(value), by)
        elif front and front[1] in names:
            labels = {"domain": names[front[1]], "class": front[2], "devid": front[3]}
            yield Told("xen_xenbus_frontend_state", labels, float(value), by)
        elif vbd := re.fullmatch(r"/local/domain/0/backend/vbd/(\d+)/(\d+)/params", path):
            labels = {"domain": names[vbd[1]], "device": _device(int(vbd[2])), "source": value}
            yield Told("xen_domain_vbd_info", labels, 1, by)
        elif disk := re.fullmatch(r"/local/domain/0/backend/vbd/(\d+)/(\d+)/sectors", path):
            labels = {"domain": names[disk[1]], "device": _device(int(disk[2]))}
            yield Told("xen_domain_vbd_capacity_bytes", labels, float(value) * 512, by)
        elif kind := re.fullmatch(r"/libxl/(\d+)/type", path):
            if kind[1] in names and kind[1] != "0":
                yield Told("xen_domain_type_info", {"domain": names[kind[1]], "type": value}, 1, by)
        elif vif := re.fullmatch(r"/local/domain/0/backend/vif/(\d+)/(\d+)/mac", path):
            bridge = nodes.get(path.removesuffix("mac") + "bridge", "")
            labels = {"domain": names[vif[1]], "vif": vif[2], "mac": value, "bridge": bridge}
            yield Told("xen_domain_vif_info", labels, 1, by)


def _lvm(sections: dict[str, str]) -> Iterator[Told]:
    def rows(section: str, kind: str) -> list[dict[str, str]]:
        found: list[dict[str, str]] = json.loads(sections[section])["report"][0][kind]
        return found

    for vg in rows("vgs", "vg"):
        of = {"vg": vg["vg_name"]}
        for family, field in (("size_bytes", "vg_size"), ("free_bytes", "vg_free"), ("lvs", "lv_count"),
                              ("snapshots", "snap_count"), ("metadata_free_bytes", "vg_mda_free")):  # fmt: skip
            yield Told(f"xen_lvm_vg_{family}", of, float(vg[field]), "vgs")
        yield Told("xen_lvm_vg_missing_pvs", of, 0.0, "vgs")
    for pv in rows("pvs", "pv"):
        of = {"vg": pv["vg_name"], "pv": pv["pv_name"]}
        yield Told("xen_lvm_pv_size_bytes", of, float(pv["pv_size"]), "pvs")
        yield Told("xen_lvm_pv_free_bytes", of, float(pv["pv_free"]), "pvs")
        yield Told("xen_lvm_pv_missing", of, 0.0, "pvs")
    for lv in rows("lvs", "lv"):
        of = {"vg": lv["vg_name"], "lv": lv["lv_name"]}
        yield Told("xen_lvm_lv_size_bytes", of, float(lv["lv_size"]), "lvs")
        for state, at, letter in (("active", 4, "a"), ("suspended", 4, "s"), ("open", 5, "o")):
            yield Told("xen_lvm_lv_state", {**of, "state": state}, float(lv["lv_attr"][at] == letter), "lvs")


def _links(sections: dict[str, str]) -> Iterator[Told]:
    by, links = "ip -s -d -j link", json.loads(sections["links"])
    for link in links:
        if link.get("linkinfo", {}).get("info_kind") != "bridge":
            continue
        of, data = {"bridge": link["ifname"]}, link["linkinfo"]["info_data"]
        ports = [other for other in links if other.get("master") == link["ifname"]]
        about = {**of, "bridge_id": data["bridge_id"].replace(":", ""), "stp": str(data["stp_state"])}
        yield Told("xen_bridge_info", about, 1, by)
        yield Told("xen_bridge_ports", of, float(len(ports)), by)
        yield Told("xen_bridge_mtu_bytes", of, float(link["mtu"]), by)
        yield Told("xen_network_mtu_mismatch", of, float(sum(port["mtu"] > link["mtu"] for port in ports)), by)
        yield Told("xen_bridge_uplinks", of, float(sum(not port["ifname"].startswith("vif") for port in ports)), by)
        yield Told("xen_bridge_topology_change_detected", of, float(data["topology_change_detected"]), by)
        macs = Counter(re.findall(r'/backend/vif/\d+/\d+/mac = "(.*?)"', sections["store"]))
        yield Told("xen_bridge_duplicate_macs", of, float(sum(n > 1 for n in macs.values())), "xenstore-ls -f")
    learned = sum("permanent" not in row.get("state", "") for row in json.loads(sections["fdb"] or "[]"))
    yield Told("xen_bridge_fdb_entries", {"bridge": "xenbr0", "kind": "learned"}, float(learned), "bridge fdb", 2)


def _vifs(sections: dict[str, str]) -> Iterator[Told]:
    """What dom0 receives the guest has sent."""
    by, names = "ip -s -d -j link", domids(sections)
    for link in json.loads(sections["links"]):
        if not (vif := re.fullmatch(r"vif(\d+)\.(\d+)", link["ifname"])):
            continue
        of = {"domain": names[vif[1]], "vif": vif[2]}
        for guests, dom0s in (("transmit", "rx"), ("receive", "tx")):
            for kind in ("bytes", "packets", "errors", "dropped"):
                value = float(link["stats64"][dom0s][kind])
                yield Told(f"xen_domain_vif_{guests}_{kind}_total", of, value, by)
        yield Told("xen_domain_vif_up", of, float(link["operstate"] == "UP"), by)
        yield Told("xen_domain_vif_bridge_attached", of, float("master" in link), by)
        forwarding = float(link.get("linkinfo", {}).get("info_slave_data", {}).get("state") == "forwarding")
        port = {"port": f"{of['domain']}/{of['vif']}", "state": "forwarding"}
        yield Told("xen_bridge_port_stp_state", port, forwarding, by)


def _vbds(sections: dict[str, str]) -> Iterator[Told]:
    names = domids(sections)
    words = {"f_req": "flush_requests_total", "ds_req": "discard_requests_total"}
    for domid, number, kind, value in re.findall(r"devices/vbd-(\d+)-(\d+)/statistics/(\w+):(\d+)", sections["sysfs"]):
        if kind in words:
            labels = {"domain": names[domid], "device": _device(int(number))}
            yield Told(f"xen_domain_vbd_{words[kind]}", labels, float(value), "sysfs")


def _dom0(sections: dict[str, str]) -> Iterator[Told]:
    sysfs, proc = sections["sysfs"], sections["proc"]

    def of(text: str, pattern: str) -> float:
        found = re.search(pattern, text)
        return float(found[1]) if found else float("nan")

    yield Told("xen_dom0_memory_target_bytes", {}, of(sysfs, r"target_kb:(\d+)") * 1024, "sysfs")
    yield Told("xen_dom0_memory_available_bytes", {}, of(proc, r"MemAvailable: +(\d+)") * 1024, "/proc", 64 * MIB)
    yield Told("xen_dom0_memory_current_bytes", {}, of(sections["list"], r"Domain-0 +0 +(\d+)") * MIB, "xl list", MIB)
    yield Told("xen_dom0_cpu_steal_seconds_total", {}, of(proc, r"cpu (?: \d+){7} (\d+)") / 100, "/proc", 0.05)
    yield Told("xen_hypervisor_boot_time_seconds", {}, of(proc, r"btime (\d+)"), "/proc", 2)
    for resource, total in re.findall(r"/proc/pressure/(\w+):some .*total=(\d+)", proc):
        yield Told("xen_dom0_pressure_stalled_seconds_total", {"resource": resource}, float(total) / 1e6, "/proc", 0.1)
    yield Told("xen_kexec_crash_loaded", {}, of(sysfs, r"kexec_crash_loaded:(\d)"), "sysfs")
    yield Told("xen_blkback_log_stats_enabled", {}, of(sysfs, r"log_stats:(\d)"), "sysfs")


def _daemons(sections: dict[str, str]) -> Iterator[Told]:
    for line in sections["daemons"].splitlines():
        name, resident, files, limit = line.split()
        of = {"daemon": name}
        yield Told("xen_daemon_up", of, 1.0, "pgrep")
        yield Told("xen_daemon_resident_memory_bytes", of, float(resident) * 1024, "ps", 2 * MIB)
        yield Told("xen_daemon_open_fds", of, float(files), "/proc", 6)
        yield Told("xen_daemon_max_fds", of, float(limit), "/proc")


def _consoles(sections: dict[str, str]) -> Iterator[Told]:
    """Of guests that run; stat prints whole seconds."""
    names = set(domids(sections).values())
    for name, size, at in re.findall(r"/guest-(\S+)\.log (\d+) (\d+)$", sections["consoles"], re.MULTILINE):
        if name in names:
            yield Told("xen_domain_console_bytes_total", {"domain": name}, float(size), "stat")
            yield Told("xen_domain_console_last_output_timestamp_seconds", {"domain": name}, float(at), "stat", 1)


def _rest(sections: dict[str, str]) -> Iterator[Told]:
    channels, _, abi = sections["irqs"].partition("\n")
    if channels.isdigit():  # timers and daemons of a host at rest come and go by ones
        yield Told("xen_event_channels_used", {"domain": "Domain-0"}, float(channels), "/proc/interrupts", 8)
    if abi:
        limit = 131072.0 if "FIFO" in abi else 4096.0
        yield Told("xen_event_channels_limit", {"domain": "Domain-0"}, limit, "dmesg")
    yield Told("xen_hypervisor_jobs", {}, 0.0, "no job was started")
    yield Told("xen_loop_devices", {"state": "in_use"}, float(len(sections["loops"].split())), "losetup")
    if limit := re.search(r"max_loop:([1-9]\d*)", sections["sysfs"]):
        yield Told("xen_loop_devices_limit", {}, float(limit[1]), "sysfs")
    if persistent := _field(sections["virsh"], "Persistent"):
        yield Told("xen_domain_persistent", {"domain": "Domain-0"}, float(persistent == "yes"), "virsh dominfo")
    for family, field in (("xen_libvirtd_clients", "nclients"), ("xen_libvirtd_clients_limit", "nclients_max")):
        if count := _field(sections["clients"], field):
            yield Told(family, {}, float(count), "virt-admin")
    for name in ("vif", "vbd", "kpartx", "loop"):
        yield Told("xen_orphan_devices", {"class": name}, 0.0, "nothing was left")
