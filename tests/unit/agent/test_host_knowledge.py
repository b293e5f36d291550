"""What the agent learns beside its log files: facts of the host, the hypervisor's ring, the journal."""

import asyncio
import json
import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from xenwatch.base.clock import ManualClock
from xenwatch.base.errors import CommandFailed
from xenwatch.diagnosis.correlation.fact_store import FactStore
from xenwatch.host.exec.runner import Completed
from xenwatch.host.host import build_host
from xenwatch.host.paths import Paths
from xenwatch.host.toolstack.xl import Xl
from xenwatch.logs.command_sources import JOURNAL, CommandLogs
from xenwatch.logs.counters import FollowCounters
from xenwatch.logs.options import CommandLogOptions
from xenwatch.model.fact import Fact
from xenwatch.model.record import Chunk
from xenwatch.model.subject import HOST, Subject

Bench = Any  # conftest's, which cannot be imported in this import mode

MDSTAT = """\
Personalities : [raid1]
md0 : active raid1 sdb1[1](F) sda1[0]
      1047552 blocks [2/1] [U_]

unused devices: <none>
"""
FACT_RULE = """\
id: array-without-a-member
class: raid-degraded
title: An array lost a member
severity: warning
subject: array
when: {all: [{type: fact, fact: array.degraded, check: value, missing: fail}]}
cause: A member failed.
tests:
  - {name: fires, given: [{fact: array.degraded, value: true, subject: array/md0}], expect: [{subject: array/md0}]}
  - {name: quiet, given: [{fact: array.degraded, value: false, subject: array/md0}], expect: []}
"""


class ScriptedHost:
    """An xl and a journalctl that say what a test wants; everything else of a host is missing."""

    def __init__(self, root: Path) -> None:
        (root / "run/systemd/journal").mkdir(parents=True)
        self.clock, self.ring = ManualClock(), b"(XEN) Xen version 4.17\n"
        self.host: ScriptedHost = build_host(self.clock, Paths(root), self, toolstack=Xl(self), libvirt_uri=None)
        self.entries: list[dict[str, Any]] = []
        self.spawned: list[tuple[str, ...]] = []
        self.chunks: list[Chunk] = []
        self.formats: dict[str, str] = {}

    async def run(self, argv: Sequence[str], deadline: float, *, limit: int = 0) -> Completed:
        assert tuple(argv) == ("xl", "dmesg")
        return Completed(tuple(argv), 0, self.ring, b"")

    async def lines(self, argv: Sequence[str]) -> AsyncGenerator[bytes, None]:
        self.spawned.append(tuple(argv))
        if "--follow" in argv:
            await asyncio.Event().wait()
        for entry in self.entries:
            yield json.dumps(entry).encode() + b"\n"

    def logs(self, cursors: object = None, **settings: Any) -> CommandLogs:
        chosen = CommandLogOptions(**settings)
        logs = CommandLogs(
            chosen,
            self.host,
            self.lines,
            self.chunks.append,
            lambda: (self.formats, FollowCounters()),
            cursors=cursors,
        )
        logs.files_read.set()
        return logs

    async def follow(self, logs: CommandLogs, polls: int = 1) -> list[tuple[str, bytes]]:
        """What comes while the ring is polled so often."""
        self.chunks.clear()
        running = asyncio.create_task(logs.run())
        for _ in range(polls):
            for _ in range(20):
                await asyncio.sleep(0)
            self.clock.advance(15)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        return [(chunk.source.path, chunk.data) for chunk in self.chunks]


@pytest.fixture
def host(tmp_path: Path) -> ScriptedHost:
    return ScriptedHost(tmp_path)


def entry(text: str, cursor: str = "c1") -> dict[str, Any]:
    return {
        "__CURSOR": cursor, "__REALTIME_TIMESTAMP": "1700000000000000", "_HOSTNAME": "xen1",
        "SYSLOG_IDENTIFIER": "kernel", "MESSAGE": text,
    }  # fmt: skip


async def test_the_ring_is_read_and_its_new_lines_alone_after_a_restart(host: ScriptedHost):
    logs = host.logs(journal=False)
    assert await host.follow(logs, polls=2) == [("xl dmesg", b"(XEN) Xen version 4.17\n")]
    stored = json.loads(json.dumps(logs.cursors()))
    host.ring += b"(XEN) d3 crashed\n"
    assert await host.follow(host.logs(stored, journal=False)) == [("xl dmesg", b"(XEN) d3 crashed\n")]


async def test_the_ring_is_left_alone_where_a_log_of_the_hypervisor_is_followed(host: ScriptedHost):
    host.formats["/var/log/xen/console/hypervisor.log"] = "hypervisor"
    assert await host.follow(host.logs(journal=False)) == []


async def test_only_what_is_new_in_the_ring_counts_where_logs_are_not_read_from_their_start(host: ScriptedHost):
    logs = host.logs(journal=False, from_start=False)
    assert await host.follow(logs) == []
    host.ring += b"(XEN) d3 crashed\n"
    assert await host.follow(host.logs(logs.cursors(), journal=False, from_start=False)) == [
        ("xl dmesg", b"(XEN) d3 crashed\n")
    ]


async def test_the_journal_is_read_where_nobody_writes_a_syslog_and_goes_on_behind_its_cursor(host: ScriptedHost):
    host.entries = [entry("md/raid1:md0: Disk failure on sdb1, disabling device.")]
    logs = host.logs(hypervisor_every=0.0)
    ((path, line),) = await host.follow(logs)
    assert path == JOURNAL
    assert line.endswith(b"xen1 kernel: md/raid1:md0: Disk failure on sdb1, disabling device.\n")
    host.entries = []
    await host.follow(host.logs(logs.cursors(), hypervisor_every=0.0))
    assert "--after-cursor=c1" in host.spawned[-1]


async def test_the_journal_is_not_read_beside_a_syslog_file_that_is_written(host: ScriptedHost, tmp_path: Path):
    (tmp_path / "syslog").write_text("")
    os.utime(tmp_path / "syslog", (host.clock.now(), host.clock.now()))
    host.formats[str(tmp_path / "syslog")] = "syslog"
    host.entries = [entry("told twice")]
    assert await host.follow(host.logs(hypervisor_every=0.0)) == []


async def test_a_syslog_file_that_nobody_writes_any_more_does_not_hide_the_journal(host: ScriptedHost, tmp_path: Path):
    (tmp_path / "syslog").write_text("")
    os.utime(tmp_path / "syslog", (0, host.clock.now() - 90000))
    host.formats[str(tmp_path / "syslog")] = "syslog"
    host.entries = [entry("told once")]
    assert len(await host.follow(host.logs(hypervisor_every=0.0))) == 1


async def test_a_stored_cursor_that_is_no_cursor_is_passed_over(host: ScriptedHost):
    host.entries = [entry("hello")]
    logs = host.logs({"ring": {"length": "x"}, JOURNAL: ["?"]})
    assert {path for path, _ in await host.follow(logs)} == {"xl dmesg", JOURNAL}


async def test_a_host_without_journalctl_has_its_ring_read_all_the_same(host: ScriptedHost, caplog):
    async def missing(argv: Sequence[str]) -> AsyncGenerator[bytes, None]:
        raise CommandFailed(argv, None, "No such file or directory")
        yield b""

    host.lines = missing  # type: ignore[method-assign]
    assert await host.follow(host.logs()) == [("xl dmesg", b"(XEN) Xen version 4.17\n")]


def with_array(bench: Bench, mdstat: str) -> None:
    """A host with this /proc/mdstat and a rule of its own about arrays."""
    rules, proc = bench.host.folder / "own", bench.host.folder / "root" / "proc"
    rules.mkdir()
    proc.mkdir(parents=True)
    (rules / "array-without-a-member.yaml").write_text(FACT_RULE)
    (proc / "mdstat").write_text(mdstat)
    bench.overrides |= {"diagnosis.rules": (str(rules),), "sampling.disabled": ("mdraid",)}


async def test_what_stands_on_the_host_becomes_an_incident_where_a_rule_asks_for_it(bench: Bench):
    with_array(bench, MDSTAT)
    async with bench.running() as run:
        await run.until(lambda: "raid-degraded" in run.causes())
        found = [incident.diagnosis for incident in run.agent.registry.incidents.values()]
        assert {(one.rule, str(one.subject)) for one in found} == {
            ("array-without-a-member", "array/md0"),
            ("raid-degraded", "array/md0"),  # the rule that ships judges the same fact
        }


async def test_a_whole_array_is_no_incident_and_its_fact_is_known(bench: Bench):
    with_array(bench, MDSTAT.replace("(F)", "").replace("[2/1] [U_]", "[2/2] [UU]"))
    async with bench.running() as run:
        known = run.agent.monitor.pipeline.engine._facts
        await run.until(lambda: known.find("array.degraded", Subject("array", "md0")) is not None)
        await run.ready()
        assert run.causes() == set()


def test_a_fact_that_is_not_seen_any_more_is_forgotten():
    facts = FactStore()
    facts.learn([Fact("vg.free_bytes", Subject("vg", "gone"), 1, 10.0), Fact("host.cpus", HOST, 4, 20.0)])
    facts.forget(15.0)
    assert facts.find("vg.free_bytes", Subject("vg", "gone")) is None
    assert facts.find("host.cpus", HOST) is not None
