"""The receiving end of a token: an order of an older lease is refused, over restarts, and nothing is done."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from xenwatch.host.exec.runner import Completed
from xenwatch.remediation.machine.domain_commands import migrate
from xenwatch.remediation.machine.fence import FILE, REFUSED, accept, fenced, fenced_carrier
from xenwatch.remediation.machine.local import LocalMachine
from xenwatch.remediation.machine.port import Order
from xenwatch.remediation.policy.inventory import Guest, ManagedHost, ManagedInventory

WEB = "domain/6695eb01"
INVENTORY = ManagedInventory("xen1", hosts=(ManagedHost("xen2", "10.0.0.12"),))


class Seen:
    """Keeps what would have been run."""

    def __init__(self) -> None:
        self.argv: list[tuple[str, ...]] = []

    async def run(self, argv, deadline, *, limit=0) -> Completed:
        self.argv.append(tuple(argv))
        return Completed(tuple(argv), 0, b"", b"")


@pytest.fixture
def receiver(tmp_path):
    """`xenwatch fence` as the other host runs it."""
    environment = {**os.environ, "XENWATCH_AGENT_STATE_DIR": str(tmp_path)}

    def run(argv: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "xenwatch.cli.main", *argv[1:]]
        return subprocess.run(words, env=environment, capture_output=True, text=True, check=False)

    return run


def test_tokens_of_each_target_only_rise(tmp_path):
    file = tmp_path / FILE
    assert accept(file, WEB, 5)
    assert accept(file, WEB, 5), "one lease gives several orders"
    assert accept(file, WEB, 7)
    assert not accept(file, WEB, 6)
    assert accept(file, "domain/other", 1)


def test_an_order_of_a_newer_lease_is_carried_out_and_one_of_an_older_lease_is_not(receiver, tmp_path):
    touched = tmp_path / "touched"
    assert receiver(fenced(("touch", str(touched)), WEB, 8)).returncode == 0
    assert touched.exists()
    touched.unlink()
    refused = receiver(fenced(("touch", str(touched)), WEB, 7))
    assert refused.returncode == REFUSED
    assert refused.stderr == f"xenwatch fence: token 7 for {WEB} is refused: a newer one was seen here\n"
    assert not touched.exists()


def test_where_the_tokens_cannot_be_read_nothing_is_done(receiver, tmp_path):
    (tmp_path / FILE).write_text("{")
    assert receiver(fenced(("true",), WEB, 9)).returncode == REFUSED


def test_a_program_that_is_not_there_is_127(receiver):
    assert receiver(fenced(("no-such-program",), WEB, 1)).returncode == 127


async def test_an_order_for_another_host_is_wrapped_and_one_without_a_lease_is_not(tmp_path):
    seen = Seen()
    machine = LocalMachine(INVENTORY, runner=seen, systemd=False, sockets=tmp_path)
    await machine.effect(Order(("xl", "destroy", "7"), "xen2", target=WEB, lease=9))
    await machine.effect(Order(("xl", "destroy", "7"), "xen2", target=WEB))
    assert [argv[-1] for argv in seen.argv] == [
        f"xenwatch fence --target {WEB} --token 9 -- xl destroy 7",
        "xl destroy 7",
    ]


async def test_this_host_refuses_its_own_order_where_a_neighbour_with_a_newer_lease_has_acted(tmp_path):
    seen, file = Seen(), tmp_path / FILE
    machine = LocalMachine(INVENTORY, runner=seen, systemd=False, fence=file)
    assert (await machine.effect(Order(("xl", "create", "/etc/xen/web.cfg"), target=WEB, lease=9))).ok
    accept(file, WEB, 10)
    answer = await machine.effect(Order(("xl", "create", "/etc/xen/web.cfg"), target=WEB, lease=9))
    assert answer.summary == f"exit 1: the lease's token 9 for {WEB} is refused: a newer one was here"
    assert len(seen.argv) == 1


async def test_the_receiving_end_of_a_migration_checks_the_token_too(tmp_path):
    """xl starts its other end itself: `exec <ssh> <host> xl migrate-receive`."""
    seen, file = Seen(), tmp_path / FILE
    machine = LocalMachine(INVENTORY, runner=seen, systemd=False, fence=file)
    order = migrate(machine, Guest("web", "6695eb01"), "10.0.0.12", 60.0)
    await machine.effect(Order(**{**{f: getattr(order, f) for f in order.__slots__}, "target": WEB, "lease": 9}))
    argv = seen.argv[0]
    ssh = argv[argv.index("-s") + 1]
    assert argv[-2:] == ("web", "10.0.0.12")
    assert ssh.startswith("sh -c ")


def test_xl_reaches_the_other_end_through_the_check(tmp_path: Path):
    """A program in ssh's place says what it was given."""
    ssh = tmp_path / "ssh"
    ssh.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    ssh.chmod(0o755)
    rune = f"exec {fenced_carrier(f'{ssh} -oBatchMode=yes', WEB, 9)} xen2 xl migrate-receive --pause"
    said = subprocess.run(["sh", "-c", rune], capture_output=True, text=True, check=True).stdout.splitlines()
    assert said[:2] == ["-oBatchMode=yes", "xen2"]
    assert shlex.split(" ".join(said[2:])) == [
        *fenced((), WEB, 9), "xl", "migrate-receive", "--pause",
    ]  # fmt: skip
