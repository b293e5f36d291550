"""200 MB of numbered lines, 300 rotations of both kinds and 50 kills: each number is stored exactly once."""

import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

TOTAL_BYTES = 200 << 20
FILE_BYTES = 600 << 10
KEEP = 5
KILLS = 50
BEHIND = 3
"""So many files may the reader be behind before the writer waits: what falls off the chain nobody can read."""
CHILD = Path(__file__).with_name("follower_child.py")


class Writer:
    """Writes as xend does and rotates by turns: a rename chain, or copy and truncate with no write in between."""

    def __init__(self, path: Path) -> None:
        self.path, self.number, self.rotations, self.written = path, 0, {"rename": 0, "copytruncate": 0}, 0
        self.log = path.open("ab", buffering=0)
        self.chance = random.Random(7)

    def write_some(self) -> None:
        lines = [
            b"[2011-05-18 20:55:04 xend 3456] #%d %s\n" % (number, b"x" * self.chance.randint(0, 160))
            for number in range(self.number, self.number + self.chance.randint(1, 200))
        ]
        self.number += len(lines)
        text = b"".join(lines)
        cut = self.chance.randrange(len(text))  # the reader sees half lines all the time
        self.log.write(text[:cut])
        self.log.write(text[cut:])
        self.written += len(text)

    def rotate(self) -> None:
        names = [self.path, *(self.path.with_name(f"{self.path.name}.{number}") for number in range(1, KEEP + 1))]
        for old, new in reversed(list(pairwise(names[1:]))):
            if old.exists():
                old.replace(new)
        if self.chance.random() < 0.5:
            self.rotations["rename"] += 1
            self.log.close()
            self.path.rename(names[1])
            self.log = self.path.open("ab", buffering=0)
        else:
            self.rotations["copytruncate"] += 1
            shutil.copyfile(self.path, names[1])
            self.log.truncate(0)


class Reader:
    """The child process, killed at any moment and started again."""

    def __init__(self, directory: Path) -> None:
        self.command = [sys.executable, str(CHILD), str(directory / "log" / "*.log"), str(directory / "seen.db")]
        self.database = directory / "seen.db"
        self.kills = 0
        self.child = subprocess.Popen(self.command)

    def kill(self) -> None:
        self.child.send_signal(signal.SIGKILL)
        self.child.wait()
        self.kills += 1
        self.child = subprocess.Popen(self.command)

    def newest(self) -> int:
        try:
            with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as store:
                return int(store.execute("SELECT number FROM seen ORDER BY rowid DESC LIMIT 1").fetchone()[0])
        except (sqlite3.OperationalError, TypeError):
            return -1

    def wait_for(self, number: int) -> None:
        deadline = time.monotonic() + 60
        while self.newest() < number:
            assert self.child.poll() is None, "the follower ended by itself"
            assert time.monotonic() < deadline, f"the follower got stuck at {self.newest()}, wanted {number}"
            time.sleep(0.005)


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    (tmp_path / "log").mkdir()
    started = Reader(tmp_path)
    yield started
    started.child.kill()
    started.child.wait()


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_every_line_is_stored_once_over_rotations_and_kills(reader: Reader, tmp_path: Path) -> None:
    writer = Writer(tmp_path / "log" / "xend.log")
    kill_at = sorted(random.Random(11).sample(range(TOTAL_BYTES), KILLS))
    last_numbers: list[int] = []
    in_file = 0
    while writer.written < TOTAL_BYTES:
        before = writer.written
        writer.write_some()
        in_file += writer.written - before
        if kill_at and writer.written >= kill_at[0]:
            kill_at.pop(0)
            reader.kill()
        if in_file >= FILE_BYTES:
            last_numbers.append(writer.number - 1)
            if len(last_numbers) > BEHIND:
                reader.wait_for(last_numbers[-BEHIND - 1])
            writer.rotate()
            in_file = 0
    writer.log.close()
    reader.wait_for(writer.number - 1)
    print(f"\n{writer.written >> 20} MB, {writer.number} lines, {writer.rotations}, {reader.kills} kills")  # noqa: T201  the numbers are what a person runs this for
    assert sum(writer.rotations.values()) >= 300
    assert reader.kills == KILLS
    with sqlite3.connect(reader.database) as store:
        count, different = store.execute("SELECT count(*), count(DISTINCT number) FROM seen").fetchone()
    assert (count, different) == (writer.number, writer.number)
