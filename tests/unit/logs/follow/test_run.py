"""The follower in an event loop, woken by the kernel."""

import asyncio
from contextlib import asynccontextmanager

import pyinotify

from xenwatch.base.clock import ManualClock
from xenwatch.logs.counters import FollowCounters
from xenwatch.logs.files.watch import DirectoryWatcher
from xenwatch.logs.follow import Follower


@asynccontextmanager
async def running(rig):
    task = asyncio.create_task(rig.follower.run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def until(rig, text: bytes) -> None:
    """The clock stands still, so only an event can wake the follower."""
    async with asyncio.timeout(20):
        while rig.text() != text:  # noqa: ASYNC110  what is waited for is in the kernel
            await asyncio.sleep(0.001)


async def test_a_write_a_rotation_and_a_new_file_wake_it_without_the_clock(rig):
    rig.write("a\n")
    async with running(rig):
        await until(rig, b"a\n")
        rig.write("b\n")
        await until(rig, b"a\nb\n")
        rig.rotate()
        rig.write("c\n")
        await until(rig, b"a\nb\nc\n")
        rig.write("d\n", rig.directory / "other.log")
        await until(rig, b"a\nb\nc\nd\n")
    assert rig.follower.counters.wakes > 0


async def test_without_inotify_the_clock_alone_is_enough(rig, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(pyinotify, "WatchManager", refuse)
    rig.write("a\n")
    async with running(rig):
        await until(rig, b"a\n")
        rig.write("b\n")
        for _ in range(10):
            await asyncio.sleep(0)
        rig.clock.advance(1)
        await until(rig, b"a\nb\n")
    assert rig.follower.counters.watch_errors == 1


async def test_a_refused_watch_is_counted_once(tmp_path, monkeypatch):
    counters = FollowCounters()
    watcher = DirectoryWatcher(lambda: None, counters)

    def refuse(*_args, **_kwargs):
        raise pyinotify.WatchManagerError("No space left on device (ENOSPC)", {})

    monkeypatch.setattr(watcher._manager, "add_watch", refuse)
    watcher.watch([str(tmp_path)])
    watcher.watch([str(tmp_path)])
    watcher.close()
    assert counters.watch_errors == 1


async def test_a_directory_removed_and_made_again_is_watched_again(tmp_path):
    woken = asyncio.Event()
    watcher = DirectoryWatcher(woken.set, FollowCounters())
    directory = tmp_path / "xen"
    async with asyncio.timeout(20):
        for _ in range(3):
            directory.mkdir()
            watcher.watch([str(directory)])
            woken.clear()
            (directory / "xend.log").touch()
            await woken.wait()
            woken.clear()
            (directory / "xend.log").unlink()
            directory.rmdir()
            await woken.wait()
            await asyncio.sleep(0.01)
    watcher.close()


async def test_an_overflow_of_the_event_queue_is_counted_and_wakes(tmp_path):
    counters, woken = FollowCounters(), []
    watcher = DirectoryWatcher(lambda: woken.append(1), counters)
    watcher._on_events(pyinotify.IN_Q_OVERFLOW)
    watcher.close()
    assert (counters.overflows, woken) == (1, [1])


async def test_other_tasks_get_their_turn_while_much_is_read(rig):
    rig.write(b"line\n" * 1_000_000)
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    await rig.look()
    counting.cancel()
    assert turns >= 15


async def test_a_reading_of_all_logs_is_reported_also_where_nothing_new_was_written(tmp_path):
    readings: list[int] = []
    follower = Follower(
        [f"{tmp_path}/*.log"],
        lambda _chunk: None,
        lambda _path, _head: None,
        ManualClock(),
        on_look=lambda: readings.append(1),
    )
    await follower.look()
    await follower.look()
    follower.close()
    assert readings == [1, 1]
