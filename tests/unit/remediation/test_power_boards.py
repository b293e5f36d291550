"""The power of a host by the real fence agents of ClusterLabs, against simulated boards: OpenIPMI's and Redfish's."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from monitoring.certificates import Authority
from monitoring.tools import UNPACKED, found
from simulated_host import StoryClock

from xenwatch.host.exec.runner import SystemRunner
from xenwatch.remediation.machine.local import LocalMachine
from xenwatch.remediation.machine.port import Command
from xenwatch.remediation.machine.power import power_off, power_state, power_words, steady_state
from xenwatch.remediation.policy.inventory import ManagedHost, ManagedInventory

pytestmark = pytest.mark.timeout(400)
PASSWORD = "secret"
LIBRARIES = UNPACKED / "usr/lib/x86_64-linux-gnu"
SUSHY = UNPACKED / "sushy"
ENVIRONMENT = {
    "PATH": ":".join((os.environ["PATH"], "/usr/sbin", str(UNPACKED / "usr/bin"), str(UNPACKED / "usr/sbin"))),
    "PYTHONPATH": ":".join((str(UNPACKED / "usr/share/fence"), str(UNPACKED / "usr/lib/python3/dist-packages"))),
    "LD_LIBRARY_PATH": str(LIBRARIES),
}
CHASSIS = """#!/bin/sh
case "$1" in
  get) echo "power:$(cat {state})" ;;
  set) {set} ;;
esac
"""
LAN = """name "xen2"
set_working_mc 0x20
startlan 1
  addr 127.0.0.1 {port}
  priv_limit admin
  allowed_auths_admin none md2 md5 straight
  guid a123456789abcdefa123456789abcdef
endlan
chassis_control "{chassis}"
user 2 true "xenwatch" "{password}" admin 10 none md2 md5 straight
"""
EMULATOR = "mc_setbmc 0x20\nmc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02\nmc_enable 0x20\n"


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(type=kind) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def needed(*programs: str) -> list[str]:
    """Where they are; the test is skipped where one of them is not."""
    places = [found(name) or _in_sbin(name) for name in programs]
    if None in places:
        pytest.skip(f"{', '.join(programs)} are not here: `packaging/setup.sh test` fetches them")
    return [str(place) for place in places]


def _in_sbin(name: str) -> str | None:
    places = [folder / name for folder in (Path("/usr/sbin"), UNPACKED / "usr/sbin") if (folder / name).exists()]
    return str(places[0]) if places else None


@contextmanager
def ipmi_board(folder: Path, *, obeys: bool = True) -> Iterator[ManagedHost]:
    """OpenIPMI's simulator. One that does not obey says that an order was carried out, and nothing happens."""
    simulator, tool, _ = needed("ipmi_sim", "ipmitool", "fence_ipmilan")
    port, state, chassis, password = (
        free_port(socket.SOCK_DGRAM),
        *(folder / n for n in ("power", "chassis", "password")),
    )
    state.write_text("1\n")
    password.write_text(f"#!/bin/sh\necho {PASSWORD}\n")
    chassis.write_text(CHASSIS.format(state=state, set=f'echo "$3" > {state}' if obeys else ":"))
    for script in (chassis, password):
        script.chmod(0o700)
    (folder / "lan.conf").write_text(LAN.format(port=port, chassis=chassis, password=PASSWORD))
    (folder / "emulator").write_text(EMULATOR)
    argv = [simulator, "-c", str(folder / "lan.conf"), "-f", str(folder / "emulator"), "-s", str(folder / "s"), "-n"]
    with running(argv):
        yield ManagedHost("xen2", power=power_words((
            "fence_ipmilan", "--ip=127.0.0.1", f"--ipport={port}", "--username=xenwatch", "--cipher=3",
            f"--password-script={password}", "--lanplus", f"--ipmitool-path={tool}", "--power-timeout=30",
        )))  # fmt: skip


@contextmanager
def redfish_board(folder: Path) -> Iterator[ManagedHost]:
    """The emulator of OpenStack's sushy-tools with a system that exists only in it."""
    needed("fence_redfish")
    if not (SUSHY / "bin/sushy-emulator").exists():
        pytest.skip("sushy-tools is not here: `packaging/setup.sh test` fetches it")
    port, uuid, config = free_port(socket.SOCK_STREAM), "c7a5fdbd-cdaf-9455-926a-d65c16db1809", folder / "sushy.conf"
    system = {"uuid": uuid, "name": "xen2", "power_state": "On", "nics": []}
    config.write_text(f"SUSHY_EMULATOR_FAKE_DRIVER = True\nSUSHY_EMULATOR_FAKE_SYSTEMS = [{system}]\n"
                      f"SUSHY_EMULATOR_STATE_DIR = {str(folder)!r}\n")  # fmt: skip
    argv = [sys.executable, str(SUSHY / "bin/sushy-emulator"), "--config", str(config), "-i", "127.0.0.1"]
    certificate, key = Authority(folder).sign("board")
    argv += ["-p", str(port), "--ssl-certificate", str(certificate), "--ssl-key", str(key)]
    with running(argv, PYTHONPATH=str(SUSHY)):
        yield ManagedHost("xen2", power=power_words((
            "fence_redfish", "--ip=127.0.0.1", f"--ipport={port}", "--username=a", "--password-script=/bin/true",
            f"--systems-uri=/redfish/v1/Systems/{uuid}", "--ssl-insecure", "--power-timeout=30",
        )))  # fmt: skip


@contextmanager
def running(argv: list[str], **environment: str) -> Iterator[None]:
    quiet, words = subprocess.DEVNULL, {**os.environ, **ENVIRONMENT, **environment}
    with subprocess.Popen(argv, env=words, stdin=quiet, stdout=quiet, stderr=quiet) as process:
        try:
            yield
        finally:
            process.kill()


def machine() -> LocalMachine:
    return LocalMachine(ManagedInventory("xen1"), runner=SystemRunner(ENVIRONMENT), systemd=False)


async def answers(host: ManagedHost) -> LocalMachine:
    """The machine, when the board has begun to answer."""
    asks, until = machine(), time.monotonic() + 60
    while await power_state(asks, host) == "unknown":
        if time.monotonic() > until:
            said = await asks.read(Command((*host.power, "--action=status"), deadline=30.0))
            raise TimeoutError(f"the board does not answer: {said}")
        await asyncio.sleep(0.5)
    return asks


@pytest.mark.parametrize("board", [ipmi_board, redfish_board])
async def test_a_host_loses_its_power_and_the_board_says_so(
    board: Callable[[Path], "contextmanager[ManagedHost]"], tmp_path: Path
):
    with board(tmp_path) as host:
        asks = await answers(host)
        assert await power_state(asks, host) == "on"
        assert (await asks.effect(power_off(host))).ok
        assert await steady_state(asks, StoryClock(), host) == "off"
        assert (await asks.effect(power_off(host))).ok, "one that is off stays so"


async def test_a_board_that_carries_out_nothing_is_not_believed(tmp_path: Path):
    with ipmi_board(tmp_path, obeys=False) as host:
        asks = await answers(host)
        await asks.effect(power_off(host))
        assert await steady_state(asks, StoryClock(), host) == "on"


async def test_a_board_that_does_not_answer_says_nothing_of_the_power(tmp_path: Path):
    with ipmi_board(tmp_path) as host:
        asks = await answers(host)
    assert await power_state(asks, host) == "unknown"
