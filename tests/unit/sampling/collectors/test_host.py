"""Bridges, daemons, dom0, autostart, topology."""

import os
from pathlib import Path
from typing import Any

import pytest
from hosts.recorded import plant

from xenwatch.base.errors import Unsupported
from xenwatch.host.files import names_in
from xenwatch.host.inventory import Domain, DomainInventory
from xenwatch.host.kernel.ethtool import control_socket, driver_counters
from xenwatch.host.kernel.eventchannels import channels_limit, channels_used
from xenwatch.host.kernel.unixsockets import clients
from xenwatch.host.paths import Paths
from xenwatch.host.xenstore.quota import node_quota
from xenwatch.sampling.collectors.netback import samples_of
from xenwatch.sampling.collectors.topology import from_scheduler


async def test_a_full_bridge_a_blocked_port_and_a_small_mtu_show(bench: Any) -> None:
    net = "sys/class/net"
    ports = "".join(f"{net}/xenbr0/brif/{name}/state = 3\n" for name in ("eth0", "vif3.0"))
    bench.files(
        f"{net}/xenbr0/bridge/stp_state = 1\n{net}/xenbr0/mtu = 1500\n{ports}"
        f"{net}/eth0/mtu = 9000\n{net}/eth0/brport/state = 4\n{net}/vif3.0/mtu = 1500\n{net}/vif3.0/brport/state = 3\n"
        "sys/bus/xen-backend/devices/vif-3-0/devtype = vif"
    )
    bench.domains(web=3)
    found = await bench.begin("bridge")()
    assert found["xen_bridge_ports"] == {("xenbr0",): 2}
    assert found["xen_bridge_uplinks"] == {("xenbr0",): 1}
    assert found["xen_network_mtu_mismatch"] == {("xenbr0",): 1}
    held = {labels[1:] for labels, value in found["xen_bridge_port_stp_state"].items() if value}
    assert held == {("host", "eth0", "blocking"), ("guest", "web/0", "forwarding")}


async def test_the_forwarding_table_tells_learnt_addresses_from_its_own(bench: Any) -> None:
    bench.files("sys/class/net/xenbr0/bridge/stp_state = 0")
    entries = [bytes(6) + bytes([1, local]) + bytes(8) for local in (0, 0, 1)]
    (bench.root / "sys/class/net/xenbr0/brforward").write_bytes(b"".join(entries))
    found = await bench.begin("bridge")()
    assert found["xen_bridge_fdb_entries"] == {("xenbr0", "learned"): 2, ("xenbr0", "local"): 1}


def process(pid: int, *command: str) -> str:
    stat = f"{pid} (some (name)) S 1 1 1 0 -1 0 0 0 0 0 150 50 0 0 20 0 3 0 1000 4096 25 0"
    words = "\\0".join(command)
    return f"proc/{pid}/cmdline = {words}\\0\nproc/{pid}/stat = {stat}"
    return +"\\0".join(command) + f"\\0\nproc/{pid}/stat = {stat}"


async def test_a_daemon_that_was_there_and_is_gone_is_down(bench: Any) -> None:
    bench.files(process(10, "/usr/sbin/xenconsoled") + "\n" + process(11, "/usr/bin/python", "/usr/sbin/xend", "start"))
    read = bench.begin("daemons")
    found = await read()
    assert found["xen_daemon_up"] == {("xenconsoled",): 1, ("xend",): 1}
    assert found["xen_daemon_cpu_seconds_total"][("xend",)] == 2.0
    (bench.root / "proc/10/cmdline").unlink()
    assert (await read())["xen_daemon_up"] == {("xenconsoled",): 0, ("xend",): 1}


async def test_a_device_model_that_died_under_its_guest_is_down_and_a_pv_guest_never_had_one(bench: Any) -> None:
    bench.domains(hvm=5, pv=6)
    bench.files(process(20, "/usr/libexec/xen-qemu-system-i386", "-xen-domid", "5", "-name", "hvm"))
    read = bench.begin("daemons")
    assert (await read())["xen_domain_device_model_up"] == {("hvm",): 1}
    (bench.root / "proc/20/cmdline").unlink()
    assert (await read())["xen_domain_device_model_up"] == {("hvm",): 0}
    bench.domains(hvm=7, pv=6)
    assert "xen_domain_device_model_up" not in await read()


async def test_dom0_tells_what_was_stolen_from_it_and_its_balloon(bench: Any) -> None:
    bench.files(
        "proc/stat = cpu  1 2 3 4 5 6 7 250 0 0\\nbtime 1700000000\\n\n"
        "proc/pressure/io = some avg10=0.00 total=2500000\\nfull\\n\n"
        "sys/devices/system/xen_memory/xen_memory0/target_kb = 1024\nproc/meminfo = MemAvailable:  100 kB\\n"
    )
    found = await bench.begin("dom0")()
    assert found["xen_dom0_cpu_steal_seconds_total"] == {(): 2.5}
    assert found["xen_dom0_pressure_stalled_seconds_total"] == {("io",): 2.5}
    assert found["xen_dom0_memory_target_bytes"] == {(): 1048576}
    assert "xen_kexec_crash_loaded" not in found


async def test_links_that_lead_nowhere_are_told_from_those_that_name_a_guest(bench: Any) -> None:
    bench.files(
        "etc/xen/web.cfg = name = 'web-1'\\nmemory = 512\\n\netc/xen/auto/10-web -> ../web.cfg\n"
        "etc/xen/auto/20-old -> ../old.cfg\netc/xen/auto/30-x.sxp = (vm (name xguest))\n"
        "etc/xen/auto/plain.cfg = memory = 1"
    )
    found = await bench.begin("autostart")()
    assert found["xen_autostart_links"] == {("ok",): 3, ("broken",): 1}
    assert found["xen_domain_autostart"] == {("web-1",): 1, ("xguest",): 1, ("plain",): 1}


async def test_a_host_without_the_folder_has_no_autostart(bench: Any) -> None:
    with pytest.raises(Unsupported):
        await bench.begin("autostart")()


def test_weights_and_caps_are_those_of_either_scheduler() -> None:
    web = Domain("web", None, 3, "running")
    inventory = DomainInventory(0.0, (web,), by_domid={3: web})
    text = "Cpupool Pool-0: tslice=30ms ratelimit=1000us migration-delay=0us\nName ID Weight Cap\nweb 3 512 150\n"
    found = {(s.metric.name, s.labels): s.value for s in from_scheduler(text, inventory)}
    assert found == {
        ("xen_scheduler_timeslice_seconds", ("Pool-0",)): 0.03,
        ("xen_scheduler_ratelimit_seconds", ("Pool-0",)): 0.001,
        ("xen_domain_sched_weight", ("web",)): 512,
        ("xen_domain_sched_cap_ratio", ("web",)): 1.5,
    }


async def test_a_bond_tells_how_many_of_its_interfaces_carry_traffic(bench: Any) -> None:
    bench.files("sys/class/net/bonding_masters = bond0\nsys/class/net/bond0/bonding/slaves = eth0 eth1")
    bench.files("sys/class/net/eth0/bonding_slave/mii_status = up\nsys/class/net/eth1/bonding_slave/mii_status = down")
    found = await bench.begin("bond")()
    assert found == {"xen_bond_slaves": {("bond0",): 2}, "xen_bond_slaves_active": {("bond0",): 1}}


async def test_a_host_without_bonds_is_told_apart_from_one_whose_bond_is_down(bench: Any) -> None:
    with pytest.raises(Unsupported):
        await bench.begin("bond")()


UNIX_SOCKETS = """Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 1001 /run/libvirt/libvirt-sock
0000000000000000: 00000003 00000000 00000000 0001 03 1002 /run/libvirt/libvirt-sock
0000000000000000: 00000003 00000000 00000000 0001 03 1003 /var/run/libvirt/libvirt-sock-ro
0000000000000000: 00000003 00000000 00000000 0001 03 1004 /run/systemd/notify
0000000000000000: 00000003 00000000 00000000 0001 03 1005
"""


def test_programs_connected_to_a_daemon_are_counted_and_its_listener_and_strangers_are_not(tmp_path: Path) -> None:
    wanted = frozenset({"/run/libvirt/libvirt-sock", "/run/libvirt/libvirt-sock-ro"})
    assert clients(tmp_path, wanted) is None
    (tmp_path / "net").mkdir()
    (tmp_path / "net/unix").write_text(UNIX_SOCKETS)
    assert clients(tmp_path, wanted) == 2


def learnt(*entries: tuple[int, int]) -> bytes:
    """A forwarding table: (last byte of the address, port)."""
    rows = [
        bytes([0, 0x16, 0x3E, 0, 0, mac, port & 0xFF, 0]) + bytes(4) + bytes([port >> 8, 0, 0, 0])
        for mac, port in entries
    ]
    return b"".join(rows)


async def test_an_address_that_jumps_between_two_ports_is_counted_each_time_and_a_still_one_never(bench: Any) -> None:
    bench.files("sys/class/net/xenbr0/bridge/stp_state = 0")
    table, read = bench.root / "sys/class/net/xenbr0/brforward", bench.begin("bridge")
    moves = []
    for port in (1, 2, 2, 1 + 256, 1 + 256):
        table.write_bytes(learnt((0x61, port), (0x62, 7)))
        moves.append((await read())["xen_bridge_mac_moves_total"])
    assert moves == [{("xenbr0",): count} for count in (0, 1, 1, 2, 2)]


async def test_an_address_that_two_vlans_have_at_two_ports_does_not_move_and_a_new_bridge_begins_at_zero(
    bench: Any,
) -> None:
    bench.files("sys/class/net/xenbr0/bridge/stp_state = 0")
    table, read = bench.root / "sys/class/net/xenbr0/brforward", bench.begin("bridge")
    for entries in (((0x61, 1), (0x61, 2)), ((0x61, 2), (0x61, 1)), ((0x61, 2),)):
        table.write_bytes(learnt(*entries))
        found = await read()
    bench.files("sys/class/net/xenbr1/bridge/stp_state = 0")
    assert found["xen_bridge_mac_moves_total"] == {("xenbr0",): 0}
    assert (await read())["xen_bridge_mac_moves_total"] == {("xenbr0",): 0, ("xenbr1",): 0}


INTERRUPTS = """           CPU0       CPU1
  1:          0          9   xen-pirq    -ioapic-edge  i8042
 32:      12345          0   xen-percpu  -virq      timer0
 33:          0      54321   xen-percpu  -virq      timer1
 60:        100          0   xen-dyn     -event     evtchn:xenstored
 61:          7          0   xen-dyn-lateeoi -event     vif3.0-q0-tx
 90:          3          0   PCI-MSI 524288-edge      eth0
NMI:          0          0   Non-maskable interrupts
"""


@pytest.mark.parametrize(
    ("kernel", "xen", "command_line", "limit"),
    [
        ("6.1.0-50-amd64", (4, 17), "root=/dev/vda1", 131072), ("6.1.0", (4, 17), "xen.fifo_events=0 quiet", 4096),
        ("2.6.32-5-xen-amd64", (4, 0), "", 4096), ("3.16.0-4-amd64", (4, 3), "", 4096), ("3.14", (4, 4), "", 131072),
    ],
)  # fmt: skip
def test_dom0_can_have_as_many_event_channels_as_its_kernels_abi_allows(
    tmp_path: Path, kernel: str, xen: tuple[int, int], command_line: str, limit: int
) -> None:
    plant(
        tmp_path,
        f"proc/sys/kernel/osrelease = {kernel}\nproc/cmdline = {command_line}\n"
        f"sys/hypervisor/version/major = {xen[0]}\nsys/hypervisor/version/minor = {xen[1]}",
    )
    assert channels_limit(Paths(tmp_path)) == limit


def test_an_old_32_bit_dom0_has_a_quarter_of_them_and_a_host_without_xen_says_nothing(tmp_path: Path) -> None:
    assert channels_limit(Paths(tmp_path)) is None
    assert channels_used(Paths(tmp_path)) is None
    plant(
        tmp_path,
        "proc/sys/kernel/osrelease = 2.6.18-8.el5xen\nsys/hypervisor/version/major = 3\n"
        "sys/hypervisor/version/minor = 0\nsys/hypervisor/properties/virtual_start = f5800000\\n",
    )
    assert channels_limit(Paths(tmp_path)) == 1024


def test_interrupts_that_come_from_xen_are_counted_and_a_cards_own_are_not(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/interrupts").write_text(INTERRUPTS)
    assert channels_used(Paths(tmp_path)) == 5


@pytest.mark.parametrize(
    ("command", "quota"),
    [
        ("/usr/sbin/xenstored --pid-file /run/xen/xenstored.pid", 1000), ("xenstored -E 2000", 2000),
        ("xenstored --entry-nb=3000 -S 4096", 3000), ("xenstored --quota nodes=4000", 4000), ("", None),
    ],
)  # fmt: skip
def test_the_quota_of_xenstore_is_what_the_daemon_was_started_with(
    tmp_path: Path, command: str, quota: int | None
) -> None:
    words = command.replace(" ", "\\0")
    plant(tmp_path, f"run/xen/xenstored.pid = 280\\n\nproc/280/cmdline = {words}")
    assert node_quota(Paths(tmp_path)) == quota


@pytest.mark.parametrize(
    ("settings", "quota"),
    [
        ("quota-maxentity = 5000", 5000),
        ("# quota-maxentity = 5000", 1000),
        ("quota-activate = false", None),
        ("", 1000),
    ],
)
def test_the_quota_of_oxenstored_is_what_its_file_says(tmp_path: Path, settings: str, quota: int | None) -> None:
    plant(
        tmp_path,
        "run/xenstored.pid = 280\\n\nproc/280/cmdline = /usr/sbin/oxenstored\\0\n"
        f"etc/xen/oxenstored.conf = {settings}\\n",
    )
    assert node_quota(Paths(tmp_path)) == quota


async def test_consoles_of_living_guests_tell_how_much_and_when_they_spoke_and_others_nothing(bench: Any) -> None:
    bench.domains(web=3)
    bench.files(
        "".join(
            f"var/log/xen/console/{name} = 12345\n" for name in ("guest-web.log", "guest-old.log", "hypervisor.log")
        )
    )
    os.utime(bench.root / "var/log/xen/console/guest-web.log", (1e9, 1e9))
    found = await bench.begin("console")()
    assert found["xen_domain_console_bytes_total"] == {("web",): 5}
    assert found["xen_domain_console_last_output_timestamp_seconds"] == {("web",): 1e9}


async def test_where_consoles_are_not_logged_there_is_nothing_to_tell(bench: Any) -> None:
    with pytest.raises(Unsupported):
        await bench.begin("console")()


def test_the_kernel_is_asked_for_a_drivers_counters_and_an_interface_without_any_costs_nothing() -> None:
    interfaces = names_in("/sys/class/net")
    with control_socket() as control:
        told = {name: driver_counters(control, name) for name in interfaces}
        assert driver_counters(control, "no-such-iface") == {}
    assert told.get("lo", {}) == {}
    assert all(name and count >= 0 for counters in told.values() for name, count in counters.items())
    samples = samples_of({name: (name, "0") for name in interfaces})
    assert {sample.labels[2] for sample in samples} == {name for counters in told.values() for name in counters}


async def test_a_host_that_is_not_this_machine_is_not_asked_for_its_drivers_counters(bench: Any) -> None:
    with pytest.raises(Unsupported):
        await bench.begin("netback")()
