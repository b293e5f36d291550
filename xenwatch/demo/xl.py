"""`xl` of the simulated host: a toolstack with state."""

import json

from xenwatch.demo.answer import Program, Said, on_a_domain
from xenwatch.demo.create import create
from xenwatch.demo.devices import DEVICES
from xenwatch.demo.guests import GROUP, GUESTS
from xenwatch.demo.world import CPUS, DOM0_MIB, TOTAL_MIB, Domain, SimulatedHost, World

DOM0_UUID = "00000000-0000-0000-0000-000000000000"
_DOM0_VCPUS = 4
_COMMAND_LINE = (
    f"console=com1 com1=115200,8n1 dom0_mem={DOM0_MIB}M,max:{DOM0_MIB}M dom0_max_vcpus={_DOM0_VCPUS} loglvl=all "
    "guest_loglvl=all"
)
_INFO = (
    ("release", "6.1.0-49-amd64"), ("version", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.174-1 (2026-05-26)"),
    ("machine", "x86_64"), ("nr_cpus", str(CPUS)), ("max_cpu_id", str(CPUS - 1)), ("nr_nodes", "1"),
    ("cores_per_socket", "4"), ("threads_per_core", "2"), ("cpu_mhz", "2793.434"),
    ("hw_caps", "bfebfbff:77faf3ff:2c100800:00000121:0000000f:d19f27eb:00000008:00000100"),
    ("virt_caps", "pv hvm hvm_directio pv_directio hap shadow iommu_hap_pt_share vmtrace gnttab-v1 gnttab-v2"),
    ("total_memory", str(TOTAL_MIB)), ("free_memory", "{free}"), ("sharing_freed_memory", "0"),
    ("sharing_used_memory", "0"), ("outstanding_claims", "0"), ("free_cpus", "0"), ("xen_major", "4"),
    ("xen_minor", "17"), ("xen_extra", ".5"), ("xen_version", "4.17.5"),
    ("xen_caps", "xen-3.0-x86_64 hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64 "), ("xen_scheduler", "credit2"),
    ("xen_pagesize", "4096"), ("platform_params", "virt_start=0xffff800000000000"), ("xen_changeset", ""),
    ("xen_commandline", _COMMAND_LINE),
    ("cc_compiler", "x86_64-linux-gnu-gcc (Debian 12.2.0-14+deb12u1) 12.2.0"), ("cc_compile_by", "pkg-xen-devel"),
    ("cc_compile_domain", "lists.alioth.debian.org"), ("cc_compile_date", "Sat Nov 29 13:52:25 UTC 2025"),
    ("build_id", "39a640e6f1412319235087391df9f1c5e13ae920"), ("xend_config_format", "4"),
)  # fmt: skip


def run_xl(world: World, host: SimulatedHost, words: list[str]) -> Said | str:
    """One call; a word that it does not know is answered as xl does."""
    word, *rest = words or ["help"]
    if word in XL:
        return XL[word](world, host, [one for one in rest if one != "-f"])
    return Said(
        1,
        "",
        f"command not implemented\n'{word}' is not among what this simulated xl can do: {', '.join(sorted(XL))}\n",
    )


def _list(_world: World, host: SimulatedHost, rest: list[str]) -> Said | str:
    if rest and rest[0] == "-l":
        domain = host.find(rest[1]) if len(rest) > 1 else None
        return _described(domain) if domain else Said(1, "", f"{rest[-1]} is an invalid domain identifier (rc=-6)\n")
    verbose = bool(rest) and rest[0] == "-v"
    head = f"{'Name':40}   ID   Mem VCPUs\tState\tTime(s)"
    lines = [head + "   UUID                            Reason-Code\tSecurity Label" * verbose]
    rows = [("Domain-0", 0, DOM0_MIB, _DOM0_VCPUS, "r-----", host.dom0_seconds, DOM0_UUID)]
    rows += [(d.name, d.domid, d.mib, d.guest.vcpus, d.state, d.cpu_seconds, d.guest.uuid) for d in host.domains]
    for name, domid, mib, vcpus, state, seconds, uuid in rows:
        line = f"{name:40} {domid:5} {mib:5} {vcpus:5}     {state} {seconds:9.1f}"
        lines.append(line + f" {uuid}        -                -" * verbose)
    return "\n".join(lines) + "\n"


def _vcpus(_world: World, host: SimulatedHost, _rest: list[str]) -> str:
    lines = [f"{'Name':32}    ID  VCPU   CPU State   Time(s) Affinity (Hard / Soft)"]
    domains = [("Domain-0", 0, _DOM0_VCPUS, host.dom0_seconds, "r--")]
    domains += [(d.name, d.domid, d.guest.vcpus, d.cpu_seconds, _flags(d)) for d in host.domains]
    for name, domid, vcpus, seconds, flags in domains:
        for nth in range(vcpus):
            share, cpu = seconds / vcpus, (domid * 3 + nth) % CPUS
            lines.append(f"{name:32} {domid:5} {nth:5} {cpu:4}   {flags} {share:9.1f} all / all")
    return "\n".join(lines) + "\n"


def _flags(domain: Domain) -> str:
    return "--p" if domain.paused else "r--" if domain.guest.load > 1 else "-b-"


def _info(_world: World, host: SimulatedHost, rest: list[str]) -> str:
    rows = [("host", host.name), *_INFO]
    lines = [f"{key:23}: {value.replace('{free}', str(host.free_mib))}" for key, value in rows]
    if "-n" in rest:
        lines[18:18] = [
            "cpu_topology           :", "cpu:    core    socket     node",
            *(f"{n:3}:{n // 2:8}{0:9}{0:9}" for n in range(CPUS)), "device topology        :",
            "device           node", "No device topology data available", "numa_info              :",
            "node:    memsize    memfree    distances", f"   0:{TOTAL_MIB:10}{host.free_mib:11}      10",
        ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _pools(_world: World, host: SimulatedHost, _rest: list[str]) -> str:
    head = "Name               CPUs   Sched     Active   Domain count"
    return f"{head}\nPool-0               {CPUS}   credit2       y          {len(host.domains) + 1}\n"


def _credit2(_world: World, host: SimulatedHost, _rest: list[str]) -> str:
    rows = [("Domain-0", 0), *((d.name, d.domid) for d in host.domains)]
    lines = ["Cpupool Pool-0: ratelimit=1000us", f"{'Name':33}ID Weight  Cap"]
    return "\n".join([*lines, *(f"{name:33} {domid:4}    256    0" for name, domid in rows)]) + "\n"


def _create(world: World, host: SimulatedHost, rest: list[str]) -> Said:
    name = (rest[0] if rest else "").rpartition("/")[2].removesuffix(".cfg")
    if name not in GUESTS:
        return Said(1, "", f"Failed to open {rest[0] if rest else ''}: No such file or directory\n")
    return create(world, host, GUESTS[name])


def _migrate(world: World, host: SimulatedHost, rest: list[str]) -> Said:
    """Options come first; the target may be given as user@address."""
    name, _, address = *rest[-2:-1], "", rest[-1].rpartition("@")[2]
    domain, target = host.find(name), world.host(address)
    if domain is None or target is None or target is host:
        return Said(1, "", f"migration sender: no {name} here, or {address} cannot be reached\n")
    if target.free_mib < domain.mib or not set(domain.guest.bridges) <= target.bridges:
        return Said(
            1, "", "migration target: Domain creation failed (code -3).\nMigration failed, resuming at sender.\n"
        )
    host.domains.remove(domain)
    domain.domid = target.take_domid()
    target.domains.append(domain)
    return Said(0, "", "migration sender: Target reports successful startup.\nMigration successful.\n")


@on_a_domain
def _destroy(_world: World, host: SimulatedHost, domain: Domain, _rest: list[str]) -> None:
    host.domains.remove(domain)


@on_a_domain
def _shutdown(world: World, host: SimulatedHost, domain: Domain, _rest: list[str]) -> Said:
    host.domains.remove(domain)
    world.log(host, f"xl-{domain.name}.log", f"Domain {domain.domid} has shut down, reason code 0 0x0")
    return Said(0, f"Shutting down domain {domain.domid}\n")


@on_a_domain
def _reboot(world: World, host: SimulatedHost, domain: Domain, _rest: list[str]) -> Said:
    host.domains.remove(domain)
    world.log(host, f"xl-{domain.name}.log", f"Domain {domain.domid} has shut down, reason code 1 0x1")
    return create(world, host, domain.guest)


@on_a_domain
def _pause(_world: World, _host: SimulatedHost, domain: Domain, _rest: list[str]) -> None:
    domain.paused = True


@on_a_domain
def _unpause(_world: World, _host: SimulatedHost, domain: Domain, _rest: list[str]) -> None:
    domain.paused = False


@on_a_domain
def _mem_set(_world: World, host: SimulatedHost, domain: Domain, rest: list[str]) -> Said | None:
    """Mebibytes, as xl takes a number without a unit."""
    mib = rest[0].removesuffix("m") if rest else ""
    if not mib.isdigit() or int(mib) - domain.mib > host.free_mib:
        return Said(1, "", f"cannot set domid {domain.domid} dynamic max memory to : {rest[0] if rest else ''}\n")
    domain.mib = int(mib)
    return None


def _described(domain: Domain) -> str:
    """`xl list -l`."""
    guest = domain.guest
    config = {
        "c_info": {"type": "pvh", "name": guest.name, "uuid": guest.uuid},
        "b_info": {"max_vcpus": guest.vcpus, "max_memkb": guest.mib * 1024, "target_memkb": domain.mib * 1024},
        "disks": [
            {"pdev_path": f"/dev/{GROUP}/{lv}", "vdev": f"xvd{'abcd'[n]}", "readwrite": 1}
            for n, lv in enumerate(domain.volumes)
        ],
        "nics": [{"bridge": bridge, "mac": guest.mac(n)} for n, bridge in enumerate(domain.bridges)],
    }
    return json.dumps([{"domid": domain.domid, "config": config}], indent=4) + "\n"


XL: dict[str, Program] = {
    "list": _list, "vcpu-list": _vcpus, "info": _info, "cpupool-list": _pools, "sched-credit2": _credit2,
    "create": _create, "migrate": _migrate, "destroy": _destroy, "shutdown": _shutdown, "reboot": _reboot,
    "pause": _pause, "unpause": _unpause, "mem-set": _mem_set, **DEVICES,
}  # fmt: skip
"""By word of xl."""
