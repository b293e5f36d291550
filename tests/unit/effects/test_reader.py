"""The reader: a fixed list of questions that holds all that checks and collectors ask, and nothing that changes."""

import ast
import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hosts.recorded import HOSTS, RecordedRunner, recorded_host
from story import Story

from xenwatch.base.errors import CommandFailed, HostError
from xenwatch.effects.reader import ReaderService
from xenwatch.host.devices import Devices
from xenwatch.host.exec.runner import SystemRunner
from xenwatch.host.host import build_host
from xenwatch.host.paths import Paths
from xenwatch.host.privileged.client import ask
from xenwatch.host.privileged.questions import LVM_REPORT, is_question, is_question_there
from xenwatch.host.privileged.reading import ReadingRunner, ask_program, ask_xenstore
from xenwatch.host.privileged.server import LocalServer
from xenwatch.host.toolstack.xl import Xl
from xenwatch.host.xenstore.client import Xenstore
from xenwatch.remediation.machine.port import Command
from xenwatch.remediation.machine.ssh import SshTransport
from xenwatch.remediation.policy.inventory import ManagedHost, ManagedInventory
from xenwatch.sampling.catalogue import take_once
from xenwatch.web.server.unix_socket import unix_socket

ROOT = Path(__file__).parents[3]
SCENARIOS = ROOT / "tests/scenarios"
ROOT_ONLY = {"xl", "xm", "xenstore-ls", "xenstore-read", "lvs", "vgs", "pvs", "lvm", "dmsetup", "losetup", "blockdev",
             "crm_resource", "xen-livepatch", "smartctl"}  # fmt: skip
"""What answers root alone; `ls`, `cat`, `df`, `ip` and their like the agent runs itself."""
STORIES = (
    "start-helps", "migrate-helps", "cold-move-helps", "lv-of-a-full-pool", "mapping-released-then-started",
    "migrate-interrupted-away-incoming", "vif-reattached", "host-cordoned", "diagnostics-collected",
    "migrate-refused-lvm-lease", "evacuate-helps",
)  # fmt: skip

XL = """#!/bin/sh
case "$*" in
  'list -v') printf 'Name  ID\\n\\377web 1\\n'; echo "$SECRET" >&2 ;;
  'list -l') printf '[{"passwd": "s3cret", "name": "web"}]' ;;
  info) head -c 9000000 /dev/zero ;;
  *) exit 3 ;;
esac
"""


@pytest.fixture
async def reader(tmp_path):
    program = tmp_path / "xl"
    program.write_text(XL)
    program.chmod(0o755)
    hosts = ManagedInventory("xen1", hosts=(ManagedHost("xen2", "10.255.255.1"),))
    runner = SystemRunner({"PATH": f"{tmp_path}:/usr/bin:/bin"})
    service = ReaderService(runner, Xenstore(Paths(tmp_path)), lambda: SshTransport(hosts, tmp_path / "ssh"))
    stop, listening = asyncio.Event(), unix_socket(tmp_path / "reader.sock")
    serving = asyncio.create_task(LocalServer(service.answer, {os.geteuid()}).serve(listening, stop))
    yield tmp_path / "reader.sock"
    stop.set()
    await serving


async def test_what_a_program_says_arrives_byte_by_byte_and_what_is_no_question_runs_here(reader):
    runner = ReadingRunner(SystemRunner(), reader)
    assert (await runner.run(("xl", "list", "-v"), 5)).stdout == b"Name  ID\n\xffweb 1\n"
    assert (await runner.run(("echo", "here"), 5)).text == "here\n"
    assert (await runner.run(("xl", "dmesg"), 5)).returncode == 3


async def test_what_a_program_says_arrives_without_passwords(reader):
    assert (await ask_program(reader, ("xl", "list", "-l"), 5)).text == '[{"passwd": "", "name": "web"}]'


async def test_a_program_that_talks_for_ever_is_cut(reader):
    answer = await ask_program(reader, ("xl", "info"), 20)
    assert answer.truncated
    assert len(answer.stdout) == 6 * 1024 * 1024


async def test_a_host_that_the_policy_does_not_name_is_not_asked(reader):
    with pytest.raises(CommandFailed, match="xen9 is not a"):
        await ask_program(reader, ("xl", "list"), 5, host="xen9")


NO_QUESTIONS = (
    ("xl", "destroy", "web"), ("xl", "create", "/etc/xen/web.cfg"), ("xl", "list", "-l", "-rf"),
    ("xl", "list", "-l", "web;reboot"), ("xl", "list", "-l", "web\nx"), ("xl", "debug-keys", "R"), ("xl",), (),
    ("sh", "-c", "id"), ("cat", "--", "/etc/shadow"), ("xenstore-write", "/a", "b"), ("xenstore-read", "-R", "/a"),
    ("xenstore-read", "../a"), ("lvextend", "--size", "+1m", "--", "vg/lv"), ("dmsetup", "remove", "/dev/mapper/a"),
    ("dmsetup", "info", "--columns", "--noheadings", "-o", "open", "/dev/../etc"), ("losetup", "-d", "/dev/loop0"),
    (*LVM_REPORT, "--config", "x"), ("lvs", "--config", "global/x"), ("smartctl", "-n", "standby", "-H", "/dev/sda;x"),
    ("./xl", "list"), ("/tmp/xl", "list"), ("xenstore-read", "/local/domain/0/backend/vfb/5/0/vncpasswd"),
)  # fmt: skip


@pytest.mark.parametrize("argv", NO_QUESTIONS, ids=lambda argv: " ".join(argv[:3]) or "nothing")
async def test_everything_else_is_refused(argv, reader):
    assert not is_question(argv)
    with pytest.raises(HostError, match="not one of the questions"):
        await ask_program(reader, argv, 5)


@pytest.mark.parametrize(
    "message",
    [
        {"do": "run", "argv": "xl list", "host": "", "deadline": 1},
        {"do": "run", "argv": ["xl", 1], "host": "", "deadline": 1},
        {"do": "run", "argv": ["xl", "list"], "host": "", "deadline": 1e9},
        {"do": "run", "argv": ["xl", "list"], "host": "", "deadline": True},
        {"do": "run", "argv": ["xl", "list"], "host": "", "deadline": 1, "env": {"PATH": "/tmp"}},
        {"do": "run", "argv": ["cat", "--", "/etc/shadow"], "host": "xen2", "deadline": 1},
        {"do": "xenstore", "kind": 11, "paths": ["/a"], "deadline": 1},
        {"do": "xenstore", "kind": 2, "paths": ["/a\0/b"], "deadline": 1},
        {"do": "xenstore", "kind": 2, "paths": ["/a", "/local/domain/0/backend/vfb/5/0/vncpasswd"], "deadline": 1},
        {"do": "effect"}, {"do": ["run"]}, {},
    ],
)  # fmt: skip
async def test_a_question_of_another_form_is_refused(message, reader):
    assert "refused" in await ask(reader, message, 10)


async def test_without_xenstored_that_is_said(reader):
    with pytest.raises(HostError, match="xenstore"):
        await ask_xenstore(reader, 2, ["/local/domain/1/name"], 2)


async def test_all_that_the_checks_of_actions_ask_is_among_the_questions(tmp_path):
    asked: set[Command] = set()
    for number, name in enumerate(n for n in STORIES if (SCENARIOS / n).is_dir()):
        (tmp_path / str(number)).mkdir()
        story = Story(tmp_path / str(number), yaml.safe_load((SCENARIOS / name / "world.yaml").read_text()) or {})
        read = story.world.read

        async def note(command: Command, read=read):
            asked.add(command)
            return await read(command)

        story.world.read = note
        await story.play(yaml.safe_load((SCENARIOS / name / "script.yaml").read_text()))
        story.service.close()
    assert len(asked) > 30
    assert not [c.argv for c in asked if c.host in ("", "xen1") and c.argv[0] in ROOT_ONLY and not is_question(c.argv)]
    assert not [c.argv for c in asked if c.host not in ("", "xen1") and not is_question_there(c.argv)]


def written_down() -> set[tuple[str, ...]]:
    """Commands of root-only programs that stand as plain words in what asks a host."""
    found = set()
    for folder in ("host", "sampling", "facts", "logs"):
        for path in (ROOT / "xenwatch" / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Tuple | ast.List):
                    found.add(_words(node.elts))
                elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "say":
                    found.add(("xl", *_words(node.args)))
    return {words for words in found if len(words) > 1 and words[0] in ROOT_ONLY and words[1] not in ROOT_ONLY}


def _words(nodes: list[ast.expr]) -> tuple[str, ...]:
    plain = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return tuple(plain) if len(plain) == len(nodes) else ()


def test_every_command_of_root_that_stands_in_the_code_is_a_question():
    commands = written_down()
    assert len(commands) > 8
    assert not {words for words in commands if not is_question(words)}


async def told_by_collectors(host) -> dict[str, object]:
    """Samples of every collector, but for how long it took."""
    snapshot = await take_once(host, host.clock)
    failed = {name: health.error for name, health in snapshot.health.items() if not health.ok}
    return {"samples": sorted(map(repr, snapshot.samples)), "failed": failed}


async def test_every_collector_says_through_the_reader_what_root_sees_and_asks_nothing_of_root_itself(tmp_path):
    async with recorded_host() as host:
        root = host.paths.root
        expected = await told_by_collectors(host)
        runner, path = host.runner, root / "reader.sock"
        hosts = ManagedInventory("xen1")
        service = ReaderService(runner, Xenstore(host.paths), lambda: SshTransport(hosts, tmp_path / "ssh"))
        stop, listening = asyncio.Event(), unix_socket(path)
        serving = asyncio.create_task(LocalServer(service.answer, {os.geteuid()}).serve(listening, stop))
        here = RecordedRunner(HOSTS / "xen-4.17/commands")
        asking = ReadingRunner(here, path)
        mine = build_host(host.clock, host.paths, asking, toolstack=Xl(asking), libvirt_uri=None)
        reading = Xenstore(host.paths, path)
        mine = replace(mine, xenstore=reading, devices=Devices(host.clock, host.paths, reading))
        assert await told_by_collectors(mine) == expected
        assert not [argv for argv in here.ran if argv[0] in ROOT_ONLY]
        await mine.close()
        stop.set()
        await serving
