"""`xl create` on the simulated host: what stands in its way, in the words of xl, libxl and the hotplug scripts."""

from collections.abc import Iterator
from datetime import UTC, datetime

from xenwatch.demo.answer import Said
from xenwatch.demo.guests import GROUP, Guest
from xenwatch.demo.world import Domain, SimulatedHost, World

_DISKS = (51712, 51728, 51744, 51760)
_SCRIPTS = "/etc/xen/scripts"


def create(world: World, host: SimulatedHost, guest: Guest) -> Said:
    """Start a guest. Where it cannot start, its domain is gone again, and logs and standard error say why."""
    log, parsing = f"xl-{guest.name}.log", f"Parsing config from {guest.config_path}"
    if host.find(guest.name) is not None:
        return Said(
            1,
            parsing + "\n",
            f'libxl: error: libxl_domain.c:87:libxl__domain_rename: Domain with name "{guest.name}" already exists.\n',
        )
    domid = host.take_domid()
    errors = list(_obstacle(world, host, guest, domid))
    if errors:
        for line in (parsing, *errors):
            world.log(host, log, line)
        return Said(3, parsing + "\n", "".join(f"{line}\n" for line in errors))
    domain = Domain(guest, domid, guest.mib)
    host.domains.append(domain)
    for line in _connected(guest, domid):
        syslog(world, host, line)
    world.log(host, log, parsing)
    world.log(host, log, f"Waiting for domain {guest.name} (domid {domid}) to die [pid {2400 + 13 * domid}]")
    return Said(0, parsing + "\n")


def syslog(world: World, host: SimulatedHost, text: str, file: str = "syslog") -> None:
    """One line as rsyslog writes it, in local time."""
    local = datetime.fromtimestamp(world.clock.now(), UTC).astimezone()
    world.log(host, file, f"{local:%b %e %H:%M:%S} {host.name} {text}")


def _obstacle(world: World, host: SimulatedHost, guest: Guest, domid: int) -> Iterator[str]:
    """The lines about the first thing that fails."""
    if host.free_mib < guest.mib:
        yield from _no_memory(world, host, domid)
        return
    for volume in guest.volumes:
        if volume in host.mounted:
            yield from _mounted(world, host, volume, domid)
            return
    for nth, bridge in enumerate(guest.bridges):
        if bridge not in host.bridges:
            yield from _no_bridge(world, host, bridge, f"backend/vif/{domid}/{nth}", domid)
            return


def _no_memory(world: World, host: SimulatedHost, domid: int) -> Iterator[str]:
    moment = datetime.fromtimestamp(world.clock.now(), UTC)
    world.log(
        host, "domain-builder-ng.log",
        f"{moment:%Y-%m-%d %H:%M:%S} UTC [{5300 + domid}] domainbuilder: panic: xc_dom_boot.c:120: "
        "xc_dom_boot_mem_init: can't allocate low memory for domain: Out of memory",
    )  # fmt: skip
    source = "libxl: error: libxl_mem.c:569:libxl_wait_for_free_memory"
    yield f"{source}: Domain {domid}:not enough memory available after 10 s"
    yield "failed to free memory for the domain"


def _mounted(world: World, host: SimulatedHost, volume: str, domid: int) -> Iterator[str]:
    words = f"Device /dev/{GROUP}/{volume} is mounted in the privileged domain,"
    syslog(world, host, f"root: {_SCRIPTS}/block: {words}#012and so cannot be mounted by a guest.")
    yield _child(f"{_SCRIPTS}/block add", domid)
    yield f"libxl: error: libxl_device.c:1351:device_hotplug_child_death_cb: script: {words}"
    yield "and so cannot be mounted by a guest."
    yield f"libxl: error: libxl_create.c:1770:domcreate_launch_dm: Domain {domid}:unable to add disk devices"


def _no_bridge(world: World, host: SimulatedHost, bridge: str, backend: str, domid: int) -> Iterator[str]:
    script, words = f"{_SCRIPTS}/vif-bridge", f"Could not find bridge device {bridge}"
    syslog(world, host, f"root: {script}: online type_if=vif XENBUS_PATH={backend}")
    syslog(world, host, f"root: {script}: {words}")
    syslog(
        world, host,
        f"root: {script}: Writing {backend}/hotplug-error {words} {backend}/hotplug-status error to xenstore.",
    )  # fmt: skip
    yield _child(f"{script} online", domid)
    yield f"libxl: error: libxl_device.c:1351:device_hotplug_child_death_cb: script: {words}"
    yield f"libxl: error: libxl_create.c:1862:domcreate_attach_devices: Domain {domid}:unable to add vif devices"


def _child(command: str, domid: int) -> str:
    source = "libxl: error: libxl_exec.c:117:libxl_report_child_exitstatus"
    return f"{source}: {command} [{4700 + domid}] exited with error status 1"


def _connected(guest: Guest, domid: int) -> Iterator[str]:
    for disk in _DISKS[: len(guest.volumes)]:
        path = f"backend/vbd/{domid}/{disk}"
        yield f"root: {_SCRIPTS}/block: add XENBUS_PATH={path}"
        yield f"root: {_SCRIPTS}/block: Writing {path}/hotplug-status connected to xenstore."
    for nth, bridge in enumerate(guest.bridges):
        path = f"backend/vif/{domid}/{nth}"
        yield f"root: {_SCRIPTS}/vif-bridge: online type_if=vif XENBUS_PATH={path}"
        yield f"root: {_SCRIPTS}/vif-bridge: Successful vif-bridge online for vif{domid}.{nth}, bridge {bridge}."
        yield f"root: {_SCRIPTS}/vif-bridge: Writing {path}/hotplug-status connected to xenstore."
