"""What can be done to a domain, each as an order for its toolstack: libvirt, xl or xm."""

import shlex

from xenwatch.base.errors import InputError
from xenwatch.host.exec.ssh import ssh_options
from xenwatch.host.libvirt.uri import of_host
from xenwatch.remediation.machine.port import Machine, Order, argv, name_of, path_of
from xenwatch.remediation.machine.virsh import virsh
from xenwatch.remediation.policy.inventory import HERE, Guest

_GRACE = 60.0
_CONNECT_SECONDS = 10
_RESUME = (
    "import glob,sys;sys.path+=glob.glob('/usr/lib/xen-*/lib/python*');"
    "import xen.lowlevel.xc as x,xen.lowlevel.xs as s;d=int(sys.argv[1]);"
    "x.xc().domain_resume(d,1);s.xs().resume_domain(d)"
)
"""As xend and libxl do: xenstored must forget that the domain was shut down, or it does not report its next end. Both
calls raise where they fail."""


def start(guest: Guest, host: str = HERE) -> Order:
    """Start it from its configuration, outside the agent's control group: xl leaves a monitor and a QEMU behind."""
    if guest.toolstack == "libvirt":
        return Order(argv("libvirt:create", guest.uuid), host, deadline=120.0)
    config = path_of(guest.config, f"the configuration of {guest.name}")
    return Order(argv(guest.toolstack, "create", config), host, deadline=120.0, detached=True)


def shutdown(guest: Guest, host: str = HERE) -> Order:
    """Ask it to shut down; that takes a while."""
    if guest.toolstack == "libvirt":
        return Order(argv("libvirt:shutdown", guest.uuid), host)
    return Order(argv(guest.toolstack, "shutdown", _name(guest)), host)


def reboot(guest: Guest) -> Order:
    """Ask it to reboot."""
    if guest.toolstack == "libvirt":
        return Order(argv("libvirt:reboot", guest.uuid))
    return Order(argv(guest.toolstack, "reboot", _name(guest)))


def destroy(guest: Guest, domid: int | None = None, host: str = HERE) -> Order:
    """By domid where one of several copies is meant: copies may share the UUID, and a name may move between them.

    xl runs the hotplug scripts of the guest's disks and interfaces, which write /var/log/xen and change links and loop
    devices: it needs what the start needed, so it runs outside the agent's unit too.
    """
    if guest.toolstack == "libvirt" and domid is None:
        return Order(argv("libvirt:destroy", guest.uuid), host)
    tool = "xl" if guest.toolstack == "libvirt" else guest.toolstack
    words = argv(tool, "destroy", _name(guest) if domid is None else _domid(domid))
    return Order(words, host, deadline=_GRACE, detached=host == HERE)


def unpause(guest: Guest, domid: int) -> Order:
    """Let a paused domain run; it does not resume a suspended one."""
    if guest.toolstack == "libvirt":
        return Order(argv("libvirt:resume", guest.uuid))
    return Order(argv(guest.toolstack, "unpause", _domid(domid)))


def set_memory(guest: Guest, mib: int) -> Order:
    """Set the balloon's target."""
    if guest.toolstack == "libvirt":
        return Order(argv("libvirt:set_memory", guest.uuid, mib * 1024))
    return Order(argv(guest.toolstack, "mem-set", _name(guest), mib))


def dump_core(guest: Guest, folder: str) -> Order:
    """Write the guest's memory to a file: `<folder>/<uuid>.core`."""
    tool = "xl" if guest.toolstack == "libvirt" else guest.toolstack
    return Order(
        argv(tool, "dump-core", _name(guest), path_of(f"{folder}/{guest.uuid}.core", "a core file")), deadline=600.0
    )


def migrate(machine: Machine, guest: Guest, address: str, deadline: float) -> Order:
    """Migrate it live, outside the agent's control group, so that a restart of the agent never interrupts it."""
    target, carrier = name_of(address, "a host"), 0
    if guest.toolstack == "libvirt":
        words = virsh(machine, "migrate", "--live", guest.uuid, of_host(target))
    elif guest.toolstack == "xm":
        words = argv("xm", "migrate", "--live", _name(guest), target)
    else:
        ssh = shlex.join(("ssh", *ssh_options(_CONNECT_SECONDS)))
        words = argv("xl", "migrate", "-s", ssh, _name(guest), target)
        carrier = words.index(ssh)
    return Order(words, deadline=deadline, detached=True, carrier=carrier)


def rename(domid: int, name: str, host: str = HERE) -> Order:
    """Give a domain its own name again."""
    return Order(argv("xl", "rename", _domid(domid), name_of(name, "a domain's name")), host)


def resume(domid: int, version: tuple[int, int], host: str = HERE) -> Order:
    """Let a suspended domain run. `xl resume` exists since 4.20; before, libxc is called through its Python binding."""
    if version >= (4, 20):
        return Order(argv("xl", "resume", _domid(domid)), host)
    return Order(argv("python3", "-c", _RESUME, _domid(domid)), host)


def _name(guest: Guest) -> str:
    return name_of(guest.name, "a domain's name")


def _domid(domid: int) -> str:
    if domid <= 0:
        raise InputError("domain 0 is never acted on")
    return str(domid)
