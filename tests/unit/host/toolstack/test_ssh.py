"""An old host is asked through a real ssh daemon on loopback; its `xm` prints what xend's prints."""

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from xenwatch.base.clock import ManualClock
from xenwatch.base.errors import CommandFailed, TimedOut, Unavailable
from xenwatch.facts.live import detect
from xenwatch.host.exec.runner import SystemRunner
from xenwatch.host.host import build_host, open_host
from xenwatch.host.toolstack.ssh import NOWHERE, FarToolstack, SshRunner
from xenwatch.sampling.catalogue import take_once

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/bin:/sbin")
pytestmark = pytest.mark.skipif(SSHD is None, reason="needs sshd (Debian: openssh-server)")

LONG = "(domain (domid 0) (name Domain-0) (memory 1024) (vcpus 2) (state r-----) (cpu_time 99.25))\n"
XM = f"""#!/bin/sh
case "$1" in
  list) printf '%s' '{LONG}' ;;
  info) printf 'host : old1\\nxen_major : 3\\nfree_memory : 512\\n' ;;
  *) echo "Error: Unable to connect to xend: Connection refused. Is xend running?" >&2; exit 1 ;;
esac
"""
START = 10.0
ENOUGH = 20.0
"""Seconds for an answer on a busy machine; nothing here takes as long."""


@dataclass(frozen=True)
class Far:
    """The far host: how ssh gets there, and the folder its programs are found in."""

    options: tuple[str, ...]
    programs: Path

    def runner(self) -> SshRunner:
        return SshRunner("old1", SystemRunner(), self.options)


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Far]:
    folder = tmp_path_factory.mktemp("far")
    programs = folder / "bin"
    programs.mkdir()
    for key in ("host", "user"):
        subprocess.run(("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key), check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "sshd_config").write_text(
        f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {folder}/host\nPidFile none\nUsePAM no\nStrictModes no\n"
        f"AuthorizedKeysFile {folder}/user.pub\nPermitRootLogin yes\nSetEnv PATH={programs}:/usr/bin:/bin\n"
    )
    (folder / "known").write_text(f"[127.0.0.1]:{port} {(folder / 'host.pub').read_text()}")
    (folder / "ssh_config").write_text(
        f"Host old1\n HostName 127.0.0.1\n Port {port}\n User {getpass.getuser()}\n IdentityFile {folder}/user\n"
        f" IdentitiesOnly yes\n UserKnownHostsFile {folder}/known\n GlobalKnownHostsFile none\n"
    )
    if os.geteuid() == 0:  # of its unit the daemon gets this folder from systemd; nobody needs it otherwise
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    daemon = subprocess.Popen((str(SSHD), "-D", "-e", "-f", folder / "sshd_config"), stderr=subprocess.PIPE, text=True)
    try:
        _listening(daemon, port)
        yield Far(("-F", str(folder / "ssh_config")), programs)
    finally:
        daemon.terminate()
        daemon.communicate(timeout=START)


def _listening(daemon: subprocess.Popen[str], port: int) -> None:
    end = time.monotonic() + START
    while time.monotonic() < end and daemon.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    daemon.kill()
    pytest.skip(f"sshd cannot be started here: {daemon.communicate()[1].strip()}")


@pytest.fixture
def xm(far: Far) -> Iterator[Path]:
    program = far.programs / "xm"
    program.write_text(XM)
    program.chmod(0o755)
    yield program
    program.unlink()


async def test_xends_domains_and_hypervisor_are_told_through_ssh(far: Far, xm: Path) -> None:
    toolstack = FarToolstack(far.runner())
    (dom0,) = await toolstack.domains(ENOUGH)
    assert (dom0.name, dom0.domid, dom0.cpu_seconds) == ("Domain-0", 0, 99.25)
    assert (await toolstack.info(ENOUGH))["free_memory"] == "512"
    assert (toolstack.name, toolstack.up) == ("xend", True)


async def test_what_xm_says_when_xend_is_down_comes_back_and_the_door_is_down(far: Far, xm: Path) -> None:
    toolstack = FarToolstack(far.runner())
    with pytest.raises(CommandFailed, match="Is xend running"):
        await toolstack.vcpus(ENOUGH)
    assert not toolstack.up


async def test_a_host_without_xm_is_asked_through_xl(far: Far) -> None:
    toolstack = FarToolstack(far.runner())
    with pytest.raises(CommandFailed, match=r"xl .*could not be run"):
        await toolstack.domains(ENOUGH)
    assert toolstack.name == "xl"


async def test_an_argument_stays_one_argument_to_the_far_shell(far: Far) -> None:
    hostile = "web; touch /tmp/$(id) 'x' \"y\""
    assert (await far.runner().run(("printf", "%s", hostile), ENOUGH)).text == hostile


async def test_a_program_that_hangs_there_costs_its_deadline(far: Far) -> None:
    with pytest.raises(TimedOut):
        await far.runner().run(("sleep", "600"), 2.0)


async def test_a_host_that_does_not_let_us_in_is_unavailable_and_nothing_is_asked_of_a_person(far: Far) -> None:
    stranger = SshRunner("old1", SystemRunner(), (*far.options, "-o", "PubkeyAuthentication=no"))
    with pytest.raises(Unavailable, match=r"ssh old1: .*Permission denied"):
        await stranger.run(("true",), ENOUGH)


async def test_all_that_is_sampled_of_a_far_host_comes_from_there(far: Far, xm: Path) -> None:
    runner = far.runner()
    clock = ManualClock()
    host = build_host(clock, NOWHERE, runner, toolstack=FarToolstack(runner), libvirt_uri=None)
    try:
        snapshot, facts = await take_once(host, clock), await detect(host)
    finally:
        await host.close()
    domains = {sample.labels for sample in snapshot.samples if sample.metric.name == "xen_domain_info"}
    assert [labels[0] for labels in domains] == ["Domain-0"]
    told = {sample.metric.name for sample in snapshot.samples if sample.metric.name.startswith("xen_")}
    assert {name.split("_")[1] for name in told} == {"domain", "hypervisor"}
    assert not {fact.name for fact in facts} & {"bridge.names", "mounts.points", "loop.devices", "xen.dom0"}
    assert {fact.value for fact in facts if fact.name == "domain.names"} == {("Domain-0",)}


async def test_this_machines_files_are_not_taken_for_those_of_the_far_host() -> None:
    host = open_host(ManualClock(), libvirt_uri=None, ssh="root@old1")
    try:
        assert host.paths is NOWHERE
        assert host.xenstore is None
        assert list(host.sources()) == ["ssh"]
    finally:
        await host.close()
