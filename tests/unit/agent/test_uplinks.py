"""Which switches a host is connected to, by the output of lldpctl 1.0.16; two network cards at one switch."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from xenwatch.agent.uplinks import Uplinks
from xenwatch.base.errors import CommandFailed
from xenwatch.host.exec.runner import OUTPUT_LIMIT, Completed
from xenwatch.host.parse.lldp import parse_lldpctl
from xenwatch.host.paths import Paths

SWITCH = """{"rack4-a": {"id": {"type": "mac", "value": "b2:52:c2:68:c0:cf"}, "descr": "Switch OS",
 "mgmt-ip": "fe80::b052:c2ff:fe68:c0cf", "mgmt-iface": "2", "capability": [{"type": "Bridge", "enabled": false}]}}"""
PORT = '{"id": {"type": "mac", "value": "82:b0:be:25:42:69"}, "descr": "p2", "ttl": "8"}'


def interface(name: str, chassis: str = SWITCH) -> str:
    about = f'"via": "LLDP", "rid": "1", "age": "0 day, 00:00:20", "chassis": {chassis}, "port": {PORT}'
    return f'{{"{name}": {{{about}}}}}'


TWO = f'{{"lldp": {{"interface": [{interface("eth0")}, {interface("eth1")}]}}}}'
ONE = f'{{"lldp": {{"interface": {interface("eth0")}}}}}'
NONE = '{\n  "lldp": {\n    \n  }\n}\n'
NAMELESS = '{"id": {"type": "mac", "value": "02:0b"}, "descr": "Switch OS"}'
RACK4_A = "rack4-a b2:52:c2:68:c0:cf"


@pytest.mark.parametrize(
    ("text", "switches"),
    [
        (TWO, {"eth0": RACK4_A, "eth1": RACK4_A}),
        (ONE, {"eth0": RACK4_A}),
        (f'{{"lldp": {{"interface": {interface("eth0", NAMELESS)}}}}}', {"eth0": "02:0b"}),
        (NONE, {}),
        ("", {}),
        ("[]", {}),
        ('{"lldp": {"interface": [7]}}', {}),
    ],
)
def test_the_switch_of_each_interface_is_read_in_each_form_that_lldpctl_prints(text: str, switches: dict[str, str]):
    json.loads(text or "0")
    assert parse_lldpctl(text) == switches


class Said:
    """Answers with one text after the other; None: lldpd is not there."""

    def __init__(self, *texts: str | None) -> None:
        self._texts = list(texts)

    async def run(self, argv: Sequence[str], deadline: float, *, limit: int = OUTPUT_LIMIT) -> Completed:
        text = self._texts.pop(0)
        if text is None:
            raise CommandFailed(argv, None, "No such file or directory")
        return Completed(tuple(argv), 0, text.encode(), b"")


@pytest.fixture
def host(tmp_path: Path) -> Paths:
    """Two cards, and an interface of a guest, as the kernel shows them."""
    for name, bus in (("eth0", "pci"), ("eth1", "pci"), ("vif1.0", "xen-backend")):
        device = tmp_path / "sys/class/net" / name / "device"
        device.mkdir(parents=True)
        (tmp_path / "sys/bus" / bus).mkdir(parents=True, exist_ok=True)
        (device / "subsystem").symlink_to(tmp_path / "sys/bus" / bus)
    (tmp_path / "sys/class/net/tap1.0").mkdir()
    return Paths(tmp_path)


async def test_a_switch_that_died_is_still_known(host: Paths):
    uplinks = Uplinks(Said(TWO, NONE, None), host)
    known = [f"eth0={RACK4_A}", f"eth1={RACK4_A}"]
    assert [await uplinks.facts() for _ in range(3)] == [known, known, known]


async def test_what_a_guest_says_of_itself_on_its_own_interface_is_no_switch(host: Paths):
    said = [interface(name) for name in ("vif1.0", "tap1.0", "eth0", "../../etc")]
    uplinks = Uplinks(Said(f'{{"lldp": {{"interface": [{", ".join(said)}]}}}}'), host)
    assert await uplinks.facts() == [f"eth0={RACK4_A}"]


async def test_a_host_without_lldpd_says_nothing_of_switches(host: Paths):
    assert await Uplinks(Said(None), host).facts() == []
