"""Lists of xl as a real host printed them, and as they look when something is wrong."""

import pytest
from hosts.recorded import HOSTS

from xenwatch.base.errors import HostError
from xenwatch.host.kernel.cpusets import count_cpus
from xenwatch.host.parse.xl_list import state_of
from xenwatch.host.toolstack.xl import parse_list, parse_vcpus

COMMANDS = HOSTS / "xen-4.17/commands"
HEAD = "Name  ID Mem VCPUs State Time(s) UUID Reason-Code Security Label\n"
UUID = "e7f8fafb-4e77-4adb-b244-9d4365e93af6"


def test_a_real_list_is_read_whole() -> None:
    dom0, g1, lv1 = parse_list((COMMANDS / "xl_list_-v.txt").read_text())
    assert (dom0.name, dom0.domid, dom0.vcpus, dom0.cpu_seconds) == ("Domain-0", 0, 2, 456.3)
    assert (g1.uuid, g1.memory_bytes, g1.flags, g1.shutdown_reason) == (UUID, 128 * 1024**2, "-b----", None)
    assert lv1.domid == 4


def test_a_domain_without_a_name_is_nameless_and_not_called_null() -> None:
    (zombie,) = parse_list(f"{HEAD}(null)  7  0  1  --ps-d  12.5  {UUID}  0  -\n")
    assert (zombie.name, zombie.domid, zombie.shutdown_reason) == (None, 7, "poweroff")


def test_a_crashed_domain_tells_its_reason() -> None:
    (crashed,) = parse_list(f"{HEAD}web  8  512  1  ---sc-  0.4  {UUID}  3  -\n")
    assert (state_of(crashed.flags), crashed.shutdown_reason) == ("crashed", "crash")


def test_a_name_may_be_long_or_look_like_numbers() -> None:
    name = "a-guest-whose-name-is-longer-than-the-column 12"
    (domain,) = parse_list(f"{HEAD}{name}  8  512  1  -b----  0.4  {UUID}  -  -\n")
    assert (domain.name, domain.domid) == (name, 8)


def test_a_list_without_the_verbose_columns_is_read_too() -> None:
    (domain,) = parse_list("Name ID Mem VCPUs State Time(s)\nDomain-0  0  1024  2  r-----  454.0\n")
    assert (domain.name, domain.uuid) == ("Domain-0", None)


def test_something_else_than_the_list_is_an_error_and_not_an_empty_host() -> None:
    with pytest.raises(HostError, match="expected its table"):
        parse_list("libxl: error: Could not get domain list\n")


@pytest.mark.parametrize(
    ("xl", "xentop", "state"),
    [
        ("r-----", "-----r", "running"),
        ("-b----", "--b---", "blocked"),
        ("--p---", "----p-", "paused"),
        ("---s--", "-s----", "shutdown"),
        ("---sc-", "-s-c--", "crashed"),
        ("--ps-d", "ds--p-", "dying"),
        ("------", "------", "running"),
    ],
)
def test_letters_mean_the_same_in_either_tools_order(xl: str, xentop: str, state: str) -> None:
    assert state_of(xl) == state_of(xentop) == state


def test_a_real_vcpu_list_is_read_whole() -> None:
    vcpus = parse_vcpus((COMMANDS / "xl_vcpu-list.txt").read_text())
    assert [(v.domid, v.vcpu, v.cpu, v.flags, v.seconds) for v in vcpus] == [
        (0, 0, 1, "-b-", 228.3), (0, 1, 0, "r--", 229.1), (3, 0, 0, "-b-", 10.1), (4, 0, 0, "-b-", 9.9),
    ]  # fmt: skip
    assert {(v.hard, v.soft) for v in vcpus} == {("all", "all")}


def test_a_vcpu_that_is_offline_has_no_cpu() -> None:
    (vcpu,) = parse_vcpus("Name ID VCPU CPU State Time(s) Affinity (Hard / Soft)\nweb 5 1 - --p 0.0 0-3 / all\n")
    assert (vcpu.cpu, vcpu.hard, vcpu.soft) == (None, "0-3", "all")


@pytest.mark.parametrize(
    ("text", "count"), [("all", 8), ("0-3", 4), ("0-3,6", 5), ("0-3,^1", 3), ("5", 1), ("", None), ("none", None)]
)
def test_sets_of_cpus_are_counted(text: str, count: int | None) -> None:
    assert count_cpus(text, 8) == count
