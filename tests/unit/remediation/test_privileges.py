"""Every order can work under the unit as it is shipped, or in a unit of its own that has what it needs and no more."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from story import CATALOGUE, Story
from unit_grants import Needs, effects_grants, grants

from xenwatch.host.exec.runner import Completed
from xenwatch.remediation.action import Plan
from xenwatch.remediation.machine.local import LocalMachine
from xenwatch.remediation.machine.port import Order
from xenwatch.remediation.machine.privileges import Privileges, unit_properties
from xenwatch.remediation.policy.inventory import ManagedHost, ManagedInventory

STORIES = sorted(f.parent for f in (Path(__file__).parents[2] / "scenarios").glob("*/script.yaml"))
TOOLSTACK = Needs(devices=("/dev/xen/privcmd rw", "/dev/xen/xenbus rw"), writes=("/run/lock", "/var/lib/xen"))
OUTSIDE = None
"""It runs hotplug scripts of the administrator or leaves daemons behind: only outside every unit of ours."""

NEEDS: dict[tuple[str, ...], Needs | None] = {
    ("xl", "create"): OUTSIDE,
    ("xm", "create"): OUTSIDE,
    ("xl", "destroy"): OUTSIDE,
    ("xl", "migrate"): OUTSIDE,
    ("virsh", "-c"): OUTSIDE,
    ("xl", "shutdown"): TOOLSTACK,
    ("xl", "reboot"): TOOLSTACK,
    ("xl", "unpause"): TOOLSTACK,
    ("xl", "mem-set"): TOOLSTACK,
    ("xl", "rename"): TOOLSTACK,
    ("xl", "resume"): TOOLSTACK,
    ("xl", "info"): TOOLSTACK,
    ("xl", "list"): TOOLSTACK,
    ("xl", "dmesg"): TOOLSTACK,
    ("xl", "dump-core"): Needs(devices=("/dev/xen/privcmd rw",), writes=("/var/lib/xen/dump",)),
    ("python3", "-c"): TOOLSTACK,
    ("xenstore-ls",): Needs(),
    ("dmesg",): Needs(frozenset({"CAP_SYSLOG"}), devices=("/dev/kmsg r",)),
    ("ip", "-d"): Needs(),
    ("ip", "link", "set"): Needs(frozenset({"CAP_NET_ADMIN"})),
    ("lsblk",): Needs(),
    ("ps",): Needs(),
    ("kill",): Needs(frozenset({"CAP_KILL"})),
    ("install",): Needs(writes=("/var/lib/xenwatch-effects",)),
    ("systemctl", "restart"): Needs(),
    ("dmsetup", "remove"): Needs(frozenset({"CAP_SYS_ADMIN"}), devices=("/dev/mapper/control rw",)),
    ("losetup", "--detach"): Needs(frozenset({"CAP_SYS_ADMIN"}), devices=("block-* r",)),
    ("lvextend",): Needs(
        frozenset({"CAP_SYS_ADMIN"}),
        ("/etc/lvm/archive", "/etc/lvm/backup", "/run/lock/lvm", "/run/lvm"),
        ("/dev/mapper/control rw", "block-* rw"),
    ),
    ("journalctl",): Needs(writes=("/var/log/journal",)),
    ("logrotate",): Needs(
        frozenset({"CAP_CHOWN", "CAP_FOWNER", "CAP_DAC_OVERRIDE"}), ("/var/log/xen", "/var/lib/logrotate")
    ),
    ("fence_ipmilan",): Needs(),  # it only talks to the other host's board
    ("apt-get", "clean"): Needs(frozenset({"CAP_DAC_OVERRIDE"}), ("/var/cache/apt/archives",)),
}
"""What the programs need, written down here apart from the actions: an order of another program fails the test."""


def lacks(order: Order) -> list[str]:
    """What an order of this host would miss when the effects helper carries it out under its packaged unit."""
    if order.argv[0].startswith("libvirt:") or order.host:
        return []
    found = [needs for words, needs in NEEDS.items() if order.argv[: len(words)] == words]
    if not found:
        return ["the test knows of no such program"]
    if order.detached:
        return []
    if found[0] is OUTSIDE:
        return ["a place outside our units"]
    unit = effects_grants() if order.privileges is None else grants(unit_properties(order.privileges))
    return unit.lacks(found[0])


def telling_stories() -> list[Path]:
    """Stories in which an action gives an order that no story before has; each takes half a second."""
    seen: set[tuple[str, str]] = set()
    telling = []
    for folder in STORIES:
        expected = yaml.safe_load((folder / "expected.yaml").read_text())
        actions = {run.split()[1] for run in expected["runs"]}
        orders = {" ".join(effect.split()[:2]) for effect in expected["effects"]}
        if new := {(action, order) for action in actions for order in orders} - seen:
            seen |= new
            telling.append(folder)
    return telling


async def orders_of_the_stories(folder: Path) -> list[tuple[str, Order]]:
    """The orders that the actions give in the stories, each with the name of its action."""
    given: list[tuple[str, Order]] = []
    for number, story_folder in enumerate(telling_stories()):
        (folder / str(number)).mkdir()
        story = Story(folder / str(number), yaml.safe_load((story_folder / "world.yaml").read_text()) or {})
        carry_out = story.world.effect

        async def effect(order: Order, story=story, carry_out=carry_out):
            run = next(run for run in await story.service.runs() if run.id == order.run)
            given.append((run.proposal.action, order))
            return await carry_out(order)

        story.world.effect = effect
        await story.play(yaml.safe_load((story_folder / "script.yaml").read_text()))
        story.service.close()
    return given


async def test_every_action_gets_what_its_orders_need_under_the_unit_as_shipped(tmp_path):
    given = await orders_of_the_stories(tmp_path)
    missing = {(action, *order.argv[:3]): lack for action, order in given if (lack := lacks(order))}
    assert missing == {}
    here = {name for name, action in CATALOGUE.items() if not action.of_pool and not action.message_only}
    assert {action for action, _ in given} == here


async def test_the_ways_to_free_space_of_every_mount_point_get_what_they_need():
    way = CATALOGUE["free_dom0_space"]
    for path in ("/", "/var", "/var/log"):
        plan: Plan = await way.plan(_Params({"path": path}))  # type: ignore[arg-type]
        assert [lacks(step.order) for step in plan.steps] == [[], []]


class _Params:
    def __init__(self, params):
        self.params = params


@pytest.mark.parametrize(
    ("argv", "missing"),
    [
        (("ip", "link", "set", "dev", "vif1.0", "up"), ["CAP_NET_ADMIN"]),
        (("apt-get", "clean"), ["CAP_DAC_OVERRIDE", "write /var/cache/apt/archives"]),
        (("dmesg",), ["CAP_SYSLOG", "device /dev/kmsg r"]),
        (("xl", "destroy", "web"), ["a place outside our units"]),
        (("rm", "-r", "/"), ["the test knows of no such program"]),
    ],
)
def test_an_order_that_asks_for_nothing_would_miss_it(argv, missing):
    assert lacks(Order(argv)) == missing


class Seen:
    def __init__(self) -> None:
        self.argv: list[tuple[str, ...]] = []

    async def run(self, argv, deadline, *, limit=0) -> Completed:
        self.argv.append(tuple(argv))
        return Completed(tuple(argv), 0, b"", b"")


LINK = Order(("ip", "link", "set", "dev", "vif1.0", "up"), run="018b-1", privileges=Privileges(("CAP_NET_ADMIN",)))


async def test_systemd_carries_it_out_in_a_unit_that_has_only_that():
    seen = Seen()
    await LocalMachine(ManagedInventory("xen1"), runner=seen, systemd=True).effect(LINK)
    words = seen.argv[0]
    assert words[0] == "systemd-run"
    assert words[words.index("--") + 1 :] == LINK.argv
    assert "--property=CapabilityBoundingSet=CAP_NET_ADMIN" in words
    assert "--property=RuntimeMaxSec=60" in words


async def test_without_systemd_there_is_no_unit_and_it_runs_as_it_is():
    seen = Seen()
    await LocalMachine(ManagedInventory("xen1"), runner=seen, systemd=False).effect(LINK)
    assert seen.argv == [LINK.argv]


async def test_on_another_host_ssh_starts_it_and_no_unit_of_ours_limits_it(tmp_path):
    seen, hosts = Seen(), (ManagedHost("xen2", "10.0.0.12"),)
    machine = LocalMachine(ManagedInventory("xen1", hosts=hosts), runner=seen, systemd=True, sockets=tmp_path / "s")
    await machine.effect(Order(LINK.argv, "xen2", privileges=LINK.privileges))
    assert seen.argv[0][0] == "ssh"
    assert "systemd-run" not in " ".join(seen.argv[0])


def test_a_unit_for_nothing_has_no_capability_and_writes_nothing():
    bare = grants(unit_properties(Privileges()))
    assert (bare.capabilities, bare.writes, bare.devices) == (frozenset(), (), ())


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_knows_every_setting_of_such_a_unit_and_calls_it_shut(tmp_path):
    most = Privileges(("CAP_SYS_ADMIN",), ("/etc/lvm", "/run/lock"), ("/dev/mapper/control rw", "block-* rw"))
    unit = tmp_path / "order.service"
    unit.write_text("[Service]\nType=oneshot\nExecStart=/bin/true\n" + "\n".join(unit_properties(most)) + "\n")
    verify = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    assert "order.service" not in verify.stderr
    security = ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=30", str(unit)]
    assert subprocess.run(security, capture_output=True, check=False).returncode == 0


UNDER = """
set -e
ip link add name xenbr0 type bridge
ip link add name vif1.0 type veth
setpriv --no-new-privs --bounding-set=-all{given} --inh-caps=-all ip link set dev vif1.0 master xenbr0
ip -o link show dev vif1.0 | grep -c 'master xenbr0'
"""


@pytest.mark.skipif(os.geteuid() != 0 or not all(map(shutil.which, ("ip", "setpriv", "unshare"))), reason="needs root")
@pytest.mark.parametrize(("given", "works"), [(",+net_admin", True), ("", False)])
def test_a_real_interface_is_put_on_a_real_bridge_with_that_one_capability_and_not_without(given, works):
    if subprocess.run(["unshare", "-n", "ip", "link", "add", "name", "try", "type", "bridge"], check=False).returncode:
        pytest.skip("no bridge can be made here")
    ended = subprocess.run(
        ["unshare", "-n", "sh", "-c", UNDER.format(given=given)], capture_output=True, text=True, check=False
    )
    assert (ended.returncode == 0) is works, ended.stderr
