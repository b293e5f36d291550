"""Between two real Xen hosts: a guest moves only when all of P1-P24 holds, and a move cut in two leaves one copy."""

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import repair
from machine import Machine

pytestmark = pytest.mark.xenhost

CABLE = "ip addr replace 192.168.78.{n}/24 dev eth1 && ip link set eth1 up"
HELD_SSH = Path(__file__).with_name("held_ssh.py")
OTHER = "root@192.168.78.2"
# PVH, for Debian's Xen has no shadow paging, without which a PV guest cannot be moved live
GUEST = """printf 'uuid = "66666666-7777-4888-8999-aaaaaaaaaaaa"\\n' | /opt/xenhost/guest.sh wanderer linux
sed -i 's/type = "pv"/type = "pvh"/' /etc/xen/wanderer.cfg"""
KNOW = """echo "192.168.78.2 $(cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub)" > /etc/ssh/ssh_known_hosts"""
MOVE = "systemd-run -q -u moving xl migrate -s '{ssh}' wanderer 192.168.78.2"
CUT = {
    "copy": ("ssh", f"until ssh {OTHER} xl list | grep -q wanderer--incoming; do sleep .2; done"),
    "ready": ("/opt/held_ssh.py ready", "until [ -e /run/held-ssh ]; do sleep .2; done"),
    "go": ("/opt/held_ssh.py go", "until [ -e /run/held-ssh ]; do sleep .2; done"),
}
"""By the turn of the handshake at which it is cut: ssh for xl, and how to see that it is there."""
LEFT = {"copy": "wanderer", "ready": "wanderer", "go": "wanderer--migratedaway"}
"""The source's name of the guest at that moment."""


@pytest.fixture(scope="module")
def pair(allowed: Machine) -> Iterator[tuple[Machine, Machine]]:
    """The host with the agent, and a second one without at the other end of a cable."""
    other = Machine(allowed.image, allowed.folder.with_name(f"{allowed.folder.name}-peer"), peer=allowed.folder)
    shutil.rmtree(other.folder, ignore_errors=True)
    allowed.stop()  # two machines that boot at once take more than twice as long
    other.start()
    try:
        other.wait_ready()
        other.run("echo fedcba9876543210fedcba9876543210 > /etc/machine-id; hostname xenhost2; " + CABLE.format(n=2))
        other.run(GUEST)
        yield allowed, other
    finally:
        other.stop()
        shutil.rmtree(other.folder, ignore_errors=True)


@pytest.fixture
def here_and_there(pair: tuple[Machine, Machine]) -> tuple[Machine, Machine]:
    """A guest without a disk runs here, nothing runs there, and each host knows the other."""
    here, there = pair
    here.restore("allowed")
    here.wait_ready()
    here.run(f"{CABLE.format(n=1)} && {KNOW}")
    here.run(
        "cat > /opt/held_ssh.py && chmod +x /opt/held_ssh.py",
        stdin=HELD_SSH.read_bytes(),
    )
    there.run("pkill -9 -f [m]igrate-receive; xl destroy wanderer; xl destroy wanderer--incoming", check=False)
    there.run(f"date -s @{time.time():.0f}")
    here.run(f"{GUEST}; xl create /etc/xen/wanderer.cfg", timeout=120)
    here.run(f"until ssh -o ConnectTimeout=5 {OTHER} true; do sleep 1; done", timeout=60)
    return here, there


def test_a_guest_moves_when_all_of_the_preflight_holds(here_and_there: tuple[Machine, Machine], mended: Any) -> None:
    here, there = here_and_there
    asked = here.run("xenwatch preflight migrate wanderer xenhost2 --format json", timeout=400, check=False)
    findings = json.loads(asked.stdout)["findings"]
    assert [f for f in findings if f["outcome"] in ("fail", "unknown")] == []
    with mended(here, "moved", "A guest moves to another Xen host when all of P1-P24 holds") as steps:
        steps.append(_asked(here, "domain_migrate wanderer to=xenhost2"))
        assert names(here) == []
        assert names(there) == ["wanderer"]


def test_a_guest_does_not_move_to_a_machine_that_is_not_the_one_it_should_be(
    here_and_there: tuple[Machine, Machine],
) -> None:
    here, there = here_and_there
    there.run("echo 00000000000000000000000000000000 > /etc/machine-id")
    said = here.run("xenwatch remediation run domain_migrate wanderer to=xenhost2", timeout=400, check=False)
    there.run("echo fedcba9876543210fedcba9876543210 > /etc/machine-id")
    assert "P20 right machine is fail" in said.stdout + said.stderr
    assert names(here) == ["wanderer"]


@pytest.mark.parametrize("turn", CUT)
def test_a_move_cut_in_two_is_put_in_order_and_one_copy_runs(
    turn: str, here_and_there: tuple[Machine, Machine], mended: Any
) -> None:
    here, there = here_and_there
    ssh, there_yet = CUT[turn]
    here.run(f"rm -f /run/held-ssh; {MOVE.format(ssh=ssh)}; {there_yet}", timeout=240)
    # held first and killed last, for it would clean up after itself; the brackets keep pkill off its own shell
    there.run("pkill -STOP -f [m]igrate-receive; true")
    here.run("pkill -9 -f '[x]l migrate'; pkill -9 -f '[1]92.168.78.2'; true")
    there.run("pkill -9 -f [m]igrate-receive; pkill -9 libxl-save-helper; true")
    assert names(here) == [LEFT[turn]]
    assert names(there) == ["wanderer--incoming"]
    with mended(here, f"cut-at-{turn}", f"A migration cut at the turn `{turn}` is put in order") as steps:
        steps.append(_asked(here, "recover_interrupted_migration wanderer to=xenhost2"))
        assert names(here) == ["wanderer"]
        assert names(there) == []
        assert _works(here), "the guest runs on, not only its domain"


def names(machine: Machine) -> list[str]:
    """The guests of a host, by name."""
    rows = [line.split() for line in machine.run("xl list").stdout.splitlines()[1:]]
    return sorted(row[0] for row in rows if row[0] != "Domain-0")


def _works(machine: Machine) -> bool:
    """Whether the guest's shell answers on its console; `script` is the terminal that xl asks for."""
    ask = "(echo; sleep 1; echo 'echo ALIVE $((6*7))'; sleep 4) | timeout 9 script -qc 'xl console wanderer' /dev/null"
    machine.run(ask, check=False, timeout=30)
    return "ALIVE 42" in machine.run("cat /var/log/xen/console/guest-wanderer.log").stdout


def _asked(machine: Machine, what: str) -> tuple[str, float]:
    """Asked for, consented to and carried out: the step and its seconds."""
    began = time.monotonic()
    repair.ended(machine, {"ask": what, "ends": "succeeded", "within": 600}, repair.ask(machine, what))
    return f"ask {what}", round(time.monotonic() - began, 1)
