"""Programs end in time, with their children, and what they print is bounded."""

import asyncio
import gc
import os
from collections.abc import Coroutine
from contextlib import aclosing
from pathlib import Path
from typing import Any

import psutil
import pytest

from xenwatch.base.errors import CommandFailed, TimedOut
from xenwatch.host.exec.runner import SystemRunner


async def test_output_and_status_of_a_program_are_handed_back() -> None:
    done = await SystemRunner().run(["sh", "-c", "echo out; echo err >&2; exit 3"], 10)
    assert (done.returncode, done.stdout, done.stderr, done.truncated) == (3, b"out\n", b"err\n", False)
    with pytest.raises(CommandFailed, match=r"exited with 3: err"):
        done.checked()


async def test_a_program_that_is_not_there_is_a_failed_command_without_a_status() -> None:
    with pytest.raises(CommandFailed) as caught:
        await SystemRunner().run(["/nowhere/xl", "list"], 10)
    assert caught.value.returncode is None


async def test_a_program_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    with pytest.raises(TimedOut, match="killed"):
        await SystemRunner().run(["sh", "-c", f"sleep 600 & echo $! > {pid_file}; wait"], 0.5)
    child = int(pid_file.read_text())
    assert await _gone(child)


async def test_a_cancelled_wait_kills_the_program(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    os.mkfifo(pid_file)
    task = asyncio.create_task(SystemRunner().run(["sh", "-c", f"echo $$ > {pid_file}; exec sleep 600"], 60))
    pid = int(await asyncio.to_thread(pid_file.read_text))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await _gone(pid)


async def test_a_daemon_left_behind_does_not_hold_the_caller_nor_is_it_killed() -> None:
    done = await SystemRunner().run(["sh", "-c", "sleep 600 & echo $!"], 10)
    pid = int(done.stdout)
    os.kill(pid, 9)
    assert done.returncode == 0


async def test_only_the_first_bytes_of_a_flood_are_kept() -> None:
    done = await SystemRunner().run(["head", "-c", "300000", "/dev/zero"], 10, limit=1000)
    assert (done.returncode, len(done.stdout), done.truncated) == (0, 1000, True)


async def test_a_program_that_prints_errors_without_end_is_kept_in_bounds_and_ended() -> None:
    with pytest.raises(TimedOut):
        await SystemRunner().run(["sh", "-c", "yes >&2"], 0.2)
    done = await SystemRunner().run(["sh", "-c", "head -c 3000000 /dev/zero >&2"], 30)
    assert (len(done.stderr), done.truncated) == (1024 * 1024, True)


async def test_programs_speak_the_c_locale_and_read_nothing_from_us() -> None:
    done = await SystemRunner().run(["sh", "-c", "echo $LC_ALL; cat"], 10)
    assert done.text == "C\n"


async def _gone(pid: int) -> bool:
    """True once the process is dead: gone, or a zombie that its new parent has yet to reap."""
    async with asyncio.timeout(10):
        while not _dead(pid):  # noqa: ASYNC110 - the kernel reaps; there is nothing to wait on
            await asyncio.sleep(0)
    return True


def _dead(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


async def test_lines_come_while_the_program_runs_and_one_that_is_too_long_is_passed_over() -> None:
    script = "echo first; head -c 3000000 /dev/zero | tr '\\0' x; echo; echo last; exec sleep 600"
    lines = SystemRunner().lines(["sh", "-c", script])
    async with aclosing(lines):
        assert [await anext(lines), await anext(lines)] == [b"first\n", b"last\n"]


async def test_lines_end_with_the_program_and_its_failure_is_told() -> None:
    assert [line async for line in SystemRunner().lines(["echo", "one"])] == [b"one\n"]
    with pytest.raises(CommandFailed, match="exited with 4"):
        async for _ in SystemRunner().lines(["sh", "-c", "exit 4"]):
            pass
    with pytest.raises(CommandFailed):
        await anext(SystemRunner().lines(["/nowhere/journalctl"]))


async def test_a_program_whose_lines_nobody_wants_any_more_is_killed(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    lines = SystemRunner().lines(["sh", "-c", f"sleep 600 & echo $! > {pid_file}; echo go; wait"])
    await anext(lines)
    await lines.aclose()
    assert await _gone(int(pid_file.read_text()))


async def test_a_program_given_up_while_it_starts_leaves_nothing_behind() -> None:
    for turns in range(8):
        task = asyncio.create_task(SystemRunner().run(["sleep", "600"], 60))
        await _turns(turns)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    gc.collect()  # what was left open says so here, and a warning fails the test


@pytest.mark.parametrize("cancellations", [0, 1, 2])
def test_a_loop_that_closes_leaves_no_program_behind(cancellations: int) -> None:
    before = psutil.Process().children()  # what another test of this process keeps, such as a browser
    for turns in range(12):
        asyncio.run(_given_up(_run_for_ever(), turns, cancellations))
        asyncio.run(_given_up(_read_for_ever(), turns, cancellations))
        assert psutil.Process().children() == before  # neither running nor waiting to be reaped
    gc.collect()


async def _given_up(work: Coroutine[Any, Any, None], turns: int, cancellations: int) -> None:
    """Cancel `work` after so many turns of the loop, again after one more, and let the loop close over it."""
    task = asyncio.create_task(work)
    await _turns(turns)
    for _ in range(cancellations):
        task.cancel()
        await _turns(1)


async def _run_for_ever() -> None:
    await SystemRunner().run(["sleep", "600"], 60)


async def _read_for_ever() -> None:
    async with aclosing(SystemRunner().lines(["yes"])) as lines:
        async for _ in lines:
            pass


async def _turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)
