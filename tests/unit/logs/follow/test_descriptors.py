"""More logs than descriptors: all are read, and the rest of the agent keeps its share."""

import os
import resource
import subprocess
import sys

from xenwatch.logs.files.descriptors import RESERVED, WANTED, most_for_logs


def held(directory) -> int:
    """Files of that directory that this process holds open."""
    fds = (os.path.join("/proc/self/fd", fd) for fd in os.listdir("/proc/self/fd"))  # noqa: PTH118, PTH208
    return sum(os.path.islink(fd) and os.readlink(fd).startswith(str(directory)) for fd in fds)  # noqa: PTH114, PTH115


async def test_of_more_logs_than_may_be_open_every_line_comes_once(make_rig, tmp_path):
    rig = make_rig(most_open=10)
    paths = [tmp_path / f"qemu-dm-{number}.log" for number in range(50)]
    wanted = dict.fromkeys(paths, "")
    for round_ in range(6):
        for number, path in enumerate(paths):
            if (number + round_) % 3:
                line = f"line {round_} of {number}\n"
                rig.write(line, path)
                wanted[path] += line
            if (number + round_) % 7 == 0 and path.exists():
                path.rename(f"{path}.1")
        await rig.advance(1)
        assert held(tmp_path) <= 10
    assert {path: rig.text(path).decode() for path in paths} == wanted
    assert rig.follower.counters.rests > 0
    assert rig.follower.counters.open_files <= rig.follower.counters.most_open_files == 10


async def test_with_room_for_all_none_is_closed(make_rig, tmp_path):
    rig = make_rig(most_open=50)
    for number in range(50):
        rig.write("a\n", tmp_path / f"qemu-dm-{number}.log")
    await rig.advance(1)
    assert (held(tmp_path), rig.follower.counters.rests) == (50, 0)


async def test_a_line_without_its_end_is_read_in_time_also_where_its_file_is_closed(make_rig, tmp_path):
    rig = make_rig(most_open=2)
    for number in range(10):
        rig.write(f"login {number}: ", tmp_path / f"console-{number}.log")
    for _ in range(8):
        await rig.advance(1)
    assert sorted(rig.text().split(b"login ")[1:]) == [b"%d: " % number for number in range(10)]


async def test_positions_stay_exact_while_files_are_closed(make_rig, tmp_path):
    rig = make_rig(most_open=2)
    paths = [tmp_path / f"{number}.log" for number in range(10)]
    for path in paths:
        rig.write("a\n", path)
    await rig.look()
    rig.stop()
    for path in paths:
        rig.write("b\n", path)
    rig.start()
    await rig.look()
    assert {rig.text(path) for path in paths} == {b"a\nb\n"}


def test_the_limit_is_raised_as_far_as_it_may_be_and_a_share_is_kept():
    code = (
        "import resource; from xenwatch.logs.files.descriptors import *; "
        "hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]; "
        "resource.setrlimit(resource.RLIMIT_NOFILE, (256, min(hard, 1024))); "
        "raise_limit(); print(resource.getrlimit(resource.RLIMIT_NOFILE)[0], most_for_logs())"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["1024", str(1024 - RESERVED)]
    assert most_for_logs() <= min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], WANTED)


CHILD = """
import asyncio, os, resource, socket, sys
from pathlib import Path
from xenwatch.base.clock import SystemClock
from xenwatch.logs.files.descriptors import most_for_logs, raise_limit
from xenwatch.logs.follow import Follower
from xenwatch.logs.options import FollowOptions
from xenwatch.model.record import LogFormat, Source

resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))
raise_limit()
directory = Path(sys.argv[1])
read = bytearray()
follower = Follower(
    [f"{directory}/*.log"],
    lambda chunk: read.extend(chunk.data),
    lambda path, _head: Source(path, LogFormat("plain", "anything")),
    SystemClock(),
    options=FollowOptions(most_open=most_for_logs()),
)

async def main():
    for round_ in range(3):
        for number in range(1500):
            with (directory / f"qemu-dm-{number}.log").open("a") as log:
                log.write(f"{round_}/{number}\\n")
        await follower.look()
        free = [socket.socket() for _ in range(200)]  # what the web needs is there
        for one in free:
            one.close()

asyncio.run(main())
lines = bytes(read).split()
print(len(lines), len(set(lines)), follower.counters.open_files)
"""


def test_fifteen_hundred_logs_under_a_limit_of_1024_leave_the_web_its_descriptors(tmp_path):
    answer = subprocess.run([sys.executable, "-c", CHILD, tmp_path], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["4500", "4500", str(1024 - RESERVED)]
