"""The journal as it stands: what `diagnose --live` and `collect` read where no syslog file is written.

`two-boots.journal.xz` is a journal as systemd-journal-remote wrote it: a boot that ended in a crash, and the next one.
"""

import asyncio
import json
import lzma
import shutil
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from xenwatch.base.clock import ManualClock
from xenwatch.base.errors import CommandFailed
from xenwatch.host.exec.runner import Completed, SystemRunner
from xenwatch.logs.command_sources import JOURNAL_MATCHES
from xenwatch.logs.counters import SourceCounters
from xenwatch.logs.journal_history import JournalHistory, read_history
from xenwatch.logs.sources.journald import JournaldSource
from xenwatch.model.record import Chunk, LogFormat, Source

BRIDGE = b"dom0 root: /etc/xen/scripts/vif-bridge: Could not find bridge device xenbr7\n"
needs_journalctl = pytest.mark.skipif(shutil.which("journalctl") is None, reason="needs journalctl")


@pytest.fixture
def journal_file(tmp_path: Path) -> Path:
    file = tmp_path / "two-boots.journal"
    file.write_bytes(lzma.decompress(Path(__file__).with_name("two-boots.journal.xz").read_bytes()))
    return file


class JournalctlOnFile(SystemRunner):
    """The real journalctl on one journal file. A file cannot be followed: that gives nothing here."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file

    async def run(self, argv: Sequence[str], deadline: float, *, limit: int = 1 << 20) -> Completed:
        return await super().run([*argv, f"--file={self._file}"], deadline, limit=limit)

    async def lines(self, argv: Sequence[str]) -> AsyncGenerator[bytes, None]:
        if "--follow" not in argv:
            async for line in super().lines([*argv, f"--file={self._file}"]):
                yield line


class ScriptedJournalctl:
    """Prints entries, newest first as they are given, and says on stderr what a test wants."""

    def __init__(self, *entries: dict[str, Any], stderr: bytes = b"", returncode: int = 0) -> None:
        self.entries, self.stderr, self.returncode = entries, stderr, returncode
        self.ends: Callable[[], Any] | None = None
        self.argv: list[tuple[str, ...]] = []

    async def run(self, argv: Sequence[str], deadline: float, *, limit: int = 1 << 20) -> Completed:
        return Completed(tuple(argv), self.returncode, b"", self.stderr)

    async def lines(self, argv: Sequence[str]) -> AsyncGenerator[bytes, None]:
        self.argv.append(tuple(argv))
        for entry in self.entries:
            yield json.dumps(entry).encode() + b"\n"
        if self.ends is not None:
            await self.ends()


def entry(text: str, second: int, boot: str = "a") -> dict[str, Any]:
    return {
        "__CURSOR": f"s={second}", "__REALTIME_TIMESTAMP": str(second * 1_000_000), "_BOOT_ID": boot,
        "_HOSTNAME": "dom0", "SYSLOG_IDENTIFIER": "kernel", "MESSAGE": text,
    }  # fmt: skip


async def read(journalctl: ScriptedJournalctl, **bounds: Any) -> JournalHistory:
    return await read_history(journalctl, journalctl.lines, JOURNAL_MATCHES, **bounds)


@needs_journalctl
async def test_a_real_journal_gives_a_log_for_each_boot_and_the_crashed_one_is_not_lost(journal_file: Path):
    runner = JournalctlOnFile(journal_file)
    history = await read_history(runner, runner.lines, JOURNAL_MATCHES)
    before, now = history.boots
    assert (before.boots_ago, now.boots_ago) == (1, 0)
    assert before.text.count(b"\n") == 4
    assert BRIDGE in before.text
    assert before.text.endswith(b"dom0 kernel: md/raid1:md0: Disk failure on sdb1, disabling device.\n")
    assert now.text.endswith(b"dom0 xenstored[400]: xenstored: Checking store ...\n")
    assert history.missing == ()


@needs_journalctl
async def test_libvirt_is_read_though_it_wrote_without_a_facility_and_cron_is_not(journal_file: Path):
    runner = JournalctlOnFile(journal_file)
    text = b"".join(boot.text for boot in (await read_history(runner, runner.lines, JOURNAL_MATCHES)).boots)
    assert b"libvirtd[812]: internal error: libxenlight failed" in text
    assert b"CRON" not in text


@needs_journalctl
async def test_the_agent_reads_a_real_journal_over_the_crash_and_goes_on_behind_its_cursor(journal_file: Path):
    def follower(cursor: dict[str, Any]) -> JournaldSource:
        source, runner = Source("journal", LogFormat("syslog", "journal")), JournalctlOnFile(journal_file)
        return JournaldSource(
            source, runner.lines, ManualClock(), SourceCounters(), matches=JOURNAL_MATCHES, cursor=cursor
        )

    chunks: list[Chunk] = []
    first = follower({"realtime_microseconds": 1_795_900_000_500_000})
    await first.follow(chunks.append)
    assert len(chunks) == 5
    assert chunks[0].data.endswith(BRIDGE)
    again: list[Chunk] = []
    await follower(first.cursor()).follow(again.append)
    assert again == []


async def test_what_a_bound_cuts_off_is_the_oldest_and_it_is_named():
    journalctl = ScriptedJournalctl(entry("three", 3), entry("two", 2), entry("one", 1))
    history = await read(journalctl, limit=110)
    assert b"".join(boot.text for boot in history.boots).splitlines() == [
        b"1970-01-01T00:00:02.000000+00:00 dom0 kernel: two",
        b"1970-01-01T00:00:03.000000+00:00 dom0 kernel: three",
    ]
    (missing,) = history.missing
    assert missing.startswith("what is older than 1970-01-01 00:00:02Z: only the newest")
    assert "--reverse" in journalctl.argv[0]


async def test_a_journalctl_that_hangs_is_stopped_and_what_it_gave_is_kept():
    journalctl = ScriptedJournalctl(entry("seen", 5))
    journalctl.ends = asyncio.Event().wait
    history = await read(journalctl, deadline=0.05)
    assert [boot.text.endswith(b"seen\n") for boot in history.boots] == [True]
    assert "journalctl was stopped after 0.05 s" in history.missing[0]


async def test_a_user_who_may_not_read_it_is_told_so():
    hint = b"Hint: You are currently not seeing messages from other users and the system.\n"
    assert "run this as root" in (await read(ScriptedJournalctl(stderr=hint))).missing[0]


async def test_a_user_who_may_read_it_is_told_nothing():
    assert (await read(ScriptedJournalctl(entry("fine", 1)))).missing == ()


async def test_where_journalctl_is_missing_or_fails_the_reason_is_told():
    class Missing(ScriptedJournalctl):
        async def run(self, argv: Sequence[str], deadline: float, *, limit: int = 0) -> Completed:
            raise CommandFailed(argv, None, "No such file or directory: 'journalctl'")

    assert "could not be run" in (await read(Missing())).missing[0]
    failed = ScriptedJournalctl(stderr=b"Failed to open journal: Input/output error\n", returncode=1)
    assert "Input/output error" in (await read(failed)).missing[0]


async def test_an_empty_journal_is_not_all_well():
    assert (await read(ScriptedJournalctl())).missing == ("it holds no line of the kernel or of a daemon",)


async def test_a_damaged_entry_costs_only_itself():
    journalctl = ScriptedJournalctl(entry("b", 2), {"no": "cursor"}, entry("a", 1))
    assert (await read(journalctl)).boots[0].text.count(b"\n") == 2
