"""systemd's journal through journalctl's JSON."""

import asyncio
import json

import pytest

from xenwatch.base.clock import ManualClock
from xenwatch.base.errors import CommandFailed
from xenwatch.logs.counters import SourceCounters
from xenwatch.logs.sources.journald import JournaldSource, entry_line
from xenwatch.model.record import LogFormat, Source

ENTRY = {
    "__CURSOR": "s=1;i=2",
    "__REALTIME_TIMESTAMP": "1305752104000001",
    "SYSLOG_IDENTIFIER": "xenstored",
    "_PID": "812",
    "_HOSTNAME": "dom0",
    "MESSAGE": "TDB error on write",
}
LINE = b"2011-05-18T20:55:04.000001+00:00 dom0 xenstored[812]: TDB error on write\n"


def journal(answers, cursor=None):
    """A journal whose journalctl gives one of `answers` at each run; an exception is raised."""
    runs = []

    async def spawn(argv):
        runs.append(argv)
        for line in answers[len(runs) - 1]:
            if isinstance(line, Exception):
                raise line
            yield line

    source = Source("journal", LogFormat("syslog", "journal"))
    return JournaldSource(source, spawn, ManualClock(), SourceCounters(), matches=["-k"], cursor=cursor), runs


async def test_an_entry_is_one_line_and_the_cursor_moves_with_it():
    chunks = []
    followed, runs = journal([[json.dumps(ENTRY).encode()], []])
    await followed.follow(chunks.append)
    assert [chunk.data for chunk in chunks] == [LINE]
    assert followed.cursor() == {
        "cursor": "s=1;i=2",
        "realtime_microseconds": 1305752104000001,
        "line": 2,
        "offset": 73,
    }
    assert "--boot" in runs[0]
    assert runs[0][-1] == "-k"


async def test_what_earlier_boots_wrote_is_read_before_it_is_followed():
    """`--follow` gives the current boot only, so the last words before a crash came to nobody."""
    chunks = []
    before = ENTRY | {"__CURSOR": "s=1;i=1;b=crashed"}
    stored = {"cursor": "s=0", "realtime_microseconds": 5}
    followed, runs = journal([[json.dumps(before).encode()], [json.dumps(ENTRY).encode()]], cursor=stored)
    await followed.follow(chunks.append)
    assert len(chunks) == 2
    assert "--follow" not in runs[0]
    assert "--after-cursor=s=0" in runs[0]
    assert {"--follow", "--lines=all", "--after-cursor=s=1;i=1;b=crashed"} <= set(runs[1])


async def test_a_journalctl_that_goes_silent_over_the_backlog_does_not_keep_from_following(monkeypatch):
    monkeypatch.setattr("xenwatch.logs.sources.journald.BACKLOG_SILENCE", 0.02)
    chunks, runs = [], []

    async def spawn(argv):
        runs.append(argv)
        if "--follow" not in argv:
            await asyncio.Event().wait()
        yield json.dumps(ENTRY).encode()

    source = Source("journal", LogFormat("syslog", "journal"))
    await JournaldSource(source, spawn, ManualClock(), SourceCounters()).follow(chunks.append)
    assert [chunk.data for chunk in chunks] == [LINE]


async def test_a_stored_cursor_is_gone_on_from():
    followed, runs = journal([[], []], cursor={"cursor": "s=9", "realtime_microseconds": 5, "line": 3})
    await followed.follow(lambda _chunk: None)
    assert "--after-cursor=s=9" in runs[0]


async def test_a_cursor_that_was_vacuumed_away_is_replaced_by_its_time():
    failed = CommandFailed(["journalctl"], 1, "Failed to seek to cursor: Invalid argument")
    followed, runs = journal(
        [[failed], [], []], cursor={"cursor": "s=9", "realtime_microseconds": 1_500_000, "line": 3}
    )
    await followed.follow(lambda _chunk: None)
    assert "--since=@1.500001" in runs[1]


async def test_a_failure_without_a_cursor_is_told():
    followed, _ = journal([[CommandFailed(["journalctl"], 1, "no journal")]])
    with pytest.raises(CommandFailed):
        await followed.follow(lambda _chunk: None)


async def test_a_damaged_line_is_counted_and_the_rest_comes():
    chunks = []
    followed, _ = journal([[b"{ half", b"[]", json.dumps(ENTRY).encode()], []])
    await followed.follow(chunks.append)
    assert len(chunks) == 1
    assert followed._counters.read_errors == 2


@pytest.mark.parametrize(
    ("message", "text"),
    [([72, 105, 255], b"Hi\xff"), (None, b""), ("two\nlines", b"two#012lines")],
)
def test_messages_of_every_form_stay_one_line(message, text):
    assert entry_line(ENTRY | {"MESSAGE": message}, 0).endswith(b"xenstored[812]: " + text + b"\n")
