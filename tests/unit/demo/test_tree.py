"""The files of the simulated host are what the collectors read on a real one."""

from pathlib import Path

from xenwatch.base.clock import ManualClock
from xenwatch.demo.shell import Shell
from xenwatch.demo.tree import Tree, files_of
from xenwatch.demo.world import World, appended_to
from xenwatch.host.kernel.bridges import read_bridges
from xenwatch.host.kernel.netdev import parse_net_dev
from xenwatch.host.parse.mdstat import parse_mdstat


def made(folder: Path) -> tuple[World, Shell, Tree]:
    world = World(ManualClock(), appended_to(folder / "log"))
    return world, Shell(world), Tree(folder / "root")


def test_what_goes_on_the_host_goes_from_the_files(tmp_path: Path) -> None:
    world, shell, tree = made(tmp_path)
    tree.write(files_of(world))
    assert {bridge.name for bridge in read_bridges(tmp_path / "root/sys")} == {"xenbr0", "xenbr1"}
    assert (tmp_path / "root/sys/bus/xen-backend/devices/vif-1-0").is_dir()
    shell.run(["xl", "destroy", "web"])
    shell.run(["ip", "link", "del", "xenbr1"])
    tree.write(files_of(world))
    assert {bridge.name for bridge in read_bridges(tmp_path / "root/sys")} == {"xenbr0"}
    assert not (tmp_path / "root/sys/bus/xen-backend/devices/vif-1-0").exists()


def test_counters_move_and_a_failed_member_shows(tmp_path: Path) -> None:
    world, shell, _ = made(tmp_path)
    before = parse_net_dev(files_of(world)["proc/net/dev"].encode())["vif2.0"]
    world.clock.advance(10)  # type: ignore[attr-defined]
    world.advance()
    after = parse_net_dev(files_of(world)["proc/net/dev"].encode())["vif2.0"]
    assert after[0] > before[0]
    assert parse_mdstat(files_of(world)["proc/mdstat"])[0].missing == 0
    shell.run(["mdadm", "/dev/md0", "--fail", "/dev/sdb1"])
    (array,) = parse_mdstat(files_of(world)["proc/mdstat"])
    assert (array.missing, array.failed) == (1, ("sdb1",))
