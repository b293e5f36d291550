"""The toolstack of the demo keeps state, and what it refuses it explains in its logs as the real one does."""

import json
from pathlib import Path

import pytest

from xenwatch.base.clock import ManualClock
from xenwatch.demo.shell import PROGRAMS, Shell
from xenwatch.demo.story import read_story
from xenwatch.demo.world import World, appended_to
from xenwatch.demo.xl import XL
from xenwatch.host.parse.xl_list import parse_xl_list
from xenwatch.host.toolstack.xl import parse_list, parse_vcpus


class Typed:
    """The simulated host, and what a person types on it."""

    def __init__(self, folder: Path) -> None:
        self.logs, self.clock = folder, ManualClock()
        self.world = World(self.clock, appended_to(folder))
        self.shell = Shell(self.world)

    def __call__(self, words: str) -> str:
        """The output of a command that succeeds."""
        said = self.shell.run(words.split())
        assert said.code == 0, said.err
        return said.out

    def refused(self, words: str) -> str:
        said = self.shell.run(words.split())
        assert said.code != 0
        return said.err

    def states(self) -> dict[str, str]:
        return {row.name: row.flags for row in parse_xl_list(self("xl list")) if row.domid}

    def log(self, name: str) -> str:
        return (self.logs / name).read_text()


@pytest.fixture
def typed(tmp_path: Path) -> Typed:
    return Typed(tmp_path)


def test_the_lists_are_those_of_xl(typed: Typed) -> None:
    domains = parse_list(typed("xl list -v"))
    assert [d.name for d in domains] == ["Domain-0", "web", "db", "mail", "build", "shop"]
    assert domains[1].uuid == "5f1c6a1e-0b1d-4c0a-9d3e-6a0f7c1b2d01"
    assert len(parse_vcpus(typed("xl vcpu-list"))) == 4 + 2 + 4 + 1 + 4 + 2


def test_processor_time_grows_with_the_clock_and_stands_still_for_a_paused_guest(typed: Typed) -> None:
    typed("xl pause db")
    before = {d.name: d.cpu_seconds for d in parse_list(typed("xl list -v"))}
    typed.clock.advance(60)
    after = {d.name: d.cpu_seconds for d in parse_list(typed("xl list -v"))}
    assert 0 < after["web"] - before["web"] < 120
    assert after["db"] == before["db"]
    assert typed.states()["db"] == "--p---"
    typed("xl unpause db")
    assert typed.states()["db"] == "r-----"


def test_a_guest_starts_again_under_another_domid_and_the_logs_say_so(typed: Typed) -> None:
    typed("xl destroy web")
    assert "web" not in typed.states()
    typed("xl create /etc/xen/web.cfg")
    assert typed.states()["web"] == "-b----"
    assert "Waiting for domain web (domid 6) to die" in typed.log("xl-web.log")
    assert "Successful vif-bridge online for vif6.0, bridge xenbr1." in typed.log("syslog")
    assert "already exists" in typed.refused("xl create /etc/xen/web.cfg")


def test_without_its_bridge_a_guest_does_not_start(typed: Typed) -> None:
    typed("xl destroy web")
    typed("ip link del xenbr1")
    assert "Could not find bridge device xenbr1" in typed.refused("xl create /etc/xen/web.cfg")
    assert "web" not in typed.states()
    assert "vif-bridge: Could not find bridge device xenbr1" in typed.log("syslog")
    typed("ip link add xenbr1 type bridge")
    typed("xl create /etc/xen/web.cfg")


def test_a_disk_that_dom0_has_mounted_is_refused_and_one_in_use_is_not_mounted(typed: Typed) -> None:
    assert "busy" in typed.refused("mount /dev/vg_guests/mail /mnt/mail")
    typed("xl shutdown mail")
    typed("mount /dev/vg_guests/mail /mnt/mail")
    assert "mounted in the privileged domain" in typed.refused("xl create /etc/xen/mail.cfg")
    typed("umount /mnt/mail")
    typed("xl create /etc/xen/mail.cfg")


def test_memory_is_what_the_others_leave(typed: Typed) -> None:
    assert "not enough memory" in typed.refused("xl create /etc/xen/archive.cfg")
    typed("xl mem-set build 4096")
    typed("xl create /etc/xen/archive.cfg")
    assert "cannot set" in typed.refused("xl mem-set build 65536")


def test_devices_come_and_go(typed: Typed) -> None:
    typed("xl network-attach db bridge=xenbr1")
    assert typed("xl network-list db").count("backend/vif") == 2
    assert "Could not find bridge device xenbr9" in typed.refused("xl network-attach db bridge=xenbr9")
    typed("xl network-detach db 1")
    typed("xl block-attach db phy:/dev/vg_guests/archive,xvdb,w")
    assert typed("xl block-list db").count("backend/vbd") == 2
    assert "in use" in typed.refused("xl block-attach web phy:/dev/vg_guests/archive,xvdc,w")
    typed("xl block-detach db xvdb")


def test_a_guest_moves_to_the_second_host_which_ssh_reaches(typed: Typed) -> None:
    typed("xl migrate -s ssh shop 192.0.2.12")
    assert "shop" not in typed.states()
    assert "shop" in typed("ssh -oBatchMode=yes -- root@192.0.2.12 xl list")
    assert "No route" in typed.refused("ssh root@192.0.2.99 xl list")


def test_an_interface_leaves_its_bridge_and_comes_back(typed: Typed) -> None:
    typed("ip link set dev vif2.0 nomaster")
    (link,) = json.loads(typed("ip -j link show dev vif2.0"))
    assert "master" not in link
    typed("ip link set dev vif2.0 master xenbr0")
    (link,) = json.loads(typed("ip -j link show dev vif2.0"))
    assert link["master"] == "xenbr0"


@pytest.mark.parametrize(
    "words", ["xl frobnicate web", "xl destroy nobody", "frobnicate", "xl create /etc/xen/none.cfg"]
)
def test_what_it_does_not_know_is_an_error(typed: Typed, words: str) -> None:
    assert typed.refused(words)


def test_every_command_of_the_story_is_one_of_the_host() -> None:
    for step in read_story().steps:
        for words in step.types:
            program, word, *_ = words.split()
            assert program in PROGRAMS
            assert program != "xl" or word in XL
