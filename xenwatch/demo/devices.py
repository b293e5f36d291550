"""The words of xl about disks and network interfaces of a running domain of the simulated host."""

from xenwatch.demo.answer import Program, Said, on_a_domain
from xenwatch.demo.create import syslog
from xenwatch.demo.guests import GROUP
from xenwatch.demo.world import Domain, SimulatedHost, World

_SCRIPT_SAID = "libxl: error: libxl_device.c:1351:device_hotplug_child_death_cb: script"


@on_a_domain
def _network_list(_world: World, _host: SimulatedHost, domain: Domain, _rest: list[str]) -> Said:
    lines = ["Idx BE Mac Addr.         handle state evt-ch   tx-/rx-ring-ref BE-path"]
    for nth in range(domain.vifs):
        path = f"/local/domain/0/backend/vif/{domain.domid}/{nth}"
        lines.append(f"{nth:<3} 0  {domain.guest.mac(nth)} {nth:<6}     4     14  -1/-1           {path}")
    return Said(0, "\n".join(lines) + "\n")


@on_a_domain
def _network_attach(world: World, host: SimulatedHost, domain: Domain, rest: list[str]) -> Said | None:
    """`bridge=xenbr0`, which must be there."""
    named = dict(word.partition("=")[::2] for word in rest)
    bridge = named.get("bridge", "xenbr0")
    script = "/etc/xen/scripts/vif-bridge"
    if bridge not in host.bridges:
        syslog(world, host, f"root: {script}: Could not find bridge device {bridge}")
        return Said(
            1,
            "",
            f"{_SCRIPT_SAID}: Could not find bridge device {bridge}\n",
        )
    domain.bridges.append(bridge)
    syslog(
        world,
        host,
        f"root: {script}: Successful vif-bridge online for vif{domain.domid}.{domain.vifs - 1}, bridge {bridge}.",
    )
    return None


@on_a_domain
def _network_detach(_world: World, _host: SimulatedHost, domain: Domain, rest: list[str]) -> Said | None:
    """The youngest one only: the numbers of the others stay."""
    if not rest or rest[0] != str(domain.vifs - 1):
        return Said(1, "", f"Unknown device {rest[0] if rest else ''}.\n")
    domain.bridges.pop()
    domain.off_bridge.discard(domain.vifs)
    return None


@on_a_domain
def _block_list(_world: World, _host: SimulatedHost, domain: Domain, _rest: list[str]) -> Said:
    lines = ["Vdev  BE  handle state evt-ch ring-ref BE-path"]
    lines += [
        f"{number} 0   {domain.domid:<6} 4     11     8        /local/domain/0/backend/vbd/{domain.domid}/{number}"
        for number in domain.disk_numbers
    ]
    return Said(0, "\n".join(lines) + "\n")


@on_a_domain
def _block_attach(world: World, host: SimulatedHost, domain: Domain, rest: list[str]) -> Said | None:
    """`phy:/dev/vg_guests/NAME,xvdb,w`: a volume that is there and that dom0 has not mounted."""
    volume = (rest[0] if rest else "").partition(",")[0].rpartition("/")[2]
    if volume not in host.volumes or any(volume in other.volumes for other in host.domains):
        return Said(
            1,
            "",
            f"{_SCRIPT_SAID}: /dev/{GROUP}/{volume} does not exist or is in use\n",
        )
    if volume in host.mounted:
        words = f"Device /dev/{GROUP}/{volume} is mounted in the privileged domain,"
        syslog(world, host, f"root: /etc/xen/scripts/block: {words}#012and so cannot be mounted by a guest.")
        return Said(1, "", f"{_SCRIPT_SAID}: {words}\n")
    domain.volumes.append(volume)
    return None


@on_a_domain
def _block_detach(_world: World, _host: SimulatedHost, domain: Domain, rest: list[str]) -> Said | None:
    names = {f"xvd{'abcd'[n]}": n for n in range(len(domain.volumes))}
    names |= {str(number): n for n, number in enumerate(domain.disk_numbers)}
    if not rest or names.get(rest[0], 0) != len(domain.volumes) - 1 or len(domain.volumes) == 1:
        return Said(1, "", f"Error: Device {rest[0] if rest else ''} not connected\n")
    domain.volumes.pop()
    return None


DEVICES: dict[str, Program] = {
    "network-list": _network_list, "network-attach": _network_attach, "network-detach": _network_detach,
    "block-list": _block_list, "block-attach": _block_attach, "block-detach": _block_detach,
}  # fmt: skip
"""By word of xl."""
