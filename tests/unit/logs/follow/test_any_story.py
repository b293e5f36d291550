"""Whatever a writer and a rotator do, and whenever the agent is killed: every numbered line comes once."""

import asyncio
import json
import os
import re
import shutil
import tempfile
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from xenwatch.base.clock import ManualClock
from xenwatch.logs.follow import Follower
from xenwatch.model.record import Chunk, LogFormat, Source

KEEP = 5
FORMAT = LogFormat("plain", "anything")


class Story(RuleBasedStateMachine):
    """The writer numbers its lines `#17;`; at the end each number and each byte must have come exactly once."""

    generations = True

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp())
        self.path = self.directory / "xend.log"
        self.written = self.number = 0
        self.unseen_rotations = 0
        """How often the chain moved since all of it was certainly read: the sixth move destroys lines."""
        self.unfinished = self.unfinished_rotated = False
        self.writer = self.path.open("ab", buffering=0)
        self.late: list = []
        self.clock = ManualClock()
        self.chunks: list[Chunk] = []
        self.committed: tuple[int, str] = (0, "{}")
        self.follower = self._follower()
        if not self.generations:
            self.patch = patch("xenwatch.logs.files.fingerprint._generation", lambda _fd: None)
            self.patch.start()

    def _follower(self) -> Follower:
        return Follower(
            [f"{self.directory}/*.log"],
            self.chunks.append,
            lambda path, _head: Source(path, FORMAT),
            self.clock,
            cursors=json.loads(self.committed[1]),
        )

    def _write(self, text: bytes) -> None:
        self.writer.write(text)
        self.unfinished = not text.endswith(b"\n")
        self.written += len(text)

    @rule(count=st.integers(1, 60))
    def write_lines(self, count: int) -> None:
        self._write(b"".join(b"#%d;\n" % number for number in range(self.number, self.number + count)))
        self.number += count

    @rule()
    def write_half_a_line(self) -> None:
        self._write(b"#%d; and" % self.number)
        self.number += 1

    @rule()
    def finish_the_line(self) -> None:
        self._write(b" more #%d;\n" % self.number)
        self.number += 1

    def _shift(self) -> None:
        names = [self.path.with_name(f"xend.log.{number}") for number in range(1, KEEP + 1)]
        for old, new in reversed(list(pairwise(names))):
            if old.exists():
                old.replace(new)
        self.unseen_rotations += 1
        self.unfinished_rotated |= self.unfinished
        self.unfinished = False

    @precondition(lambda self: self.unseen_rotations < KEEP - 1)
    @rule(keep_writing=st.booleans())
    def rename_chain(self, keep_writing: bool) -> None:
        self._shift()
        self.path.rename(self.path.with_name("xend.log.1"))
        if keep_writing:
            self.late.append((self.writer, self.clock.monotonic()))
        else:
            self.writer.close()
        self.writer = self.path.open("ab", buffering=0)

    @precondition(lambda self: self.unseen_rotations < KEEP - 1)
    @rule()
    def copy_and_truncate(self) -> None:
        self._shift()
        shutil.copyfile(self.path, self.path.with_name("xend.log.1"))
        self.writer.truncate(0)

    @precondition(lambda self: self.late and self.unseen_rotations < KEEP - 1)
    @rule()
    def write_late_to_a_renamed_file(self) -> None:
        late, renamed_at = self.late.pop()
        latest_place = KEEP if self.clock.monotonic() - renamed_at < 59 else 1  # later, only the last one is watched
        inode = os.fstat(late.fileno()).st_ino
        for place in range(1, latest_place + 1):
            file = self.path.with_name(f"xend.log.{place}")
            if file.exists() and file.stat().st_ino == inode:
                self.written += late.write(b"#%d;\n" % self.number)
                self.number += 1
                self.unseen_rotations = max(self.unseen_rotations, place - 1)
                self.clock.advance(1)  # the look at the slow pace finds it, if nothing else does
        late.close()

    @rule()
    def wake(self) -> None:
        self._look()
        self.unseen_rotations = 0

    def _look(self) -> None:
        asyncio.run(self.follower.look())

    @rule(seconds=st.sampled_from([1.0, 6.0, 61.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.wake()

    def _settle(self) -> None:
        """An unfinished line in a rotated file is handed on after a while; till then only the open file has it."""
        self.wake()
        if self.unfinished_rotated:
            self.time_passes(6.0)
            self.unfinished_rotated = False

    @rule(read=st.booleans())
    def stop_and_start(self, read: bool) -> None:
        if read or self.unfinished_rotated:
            self._settle()
        self._commit()
        self.follower.close()
        self.follower = self._follower()

    def _commit(self) -> None:
        self.committed = (len(self.chunks), json.dumps(self.follower.cursors()))

    @invariant()
    def nothing_comes_twice(self) -> None:
        seen = self._numbers()
        assert len(seen) == len(set(seen))

    def _numbers(self) -> list[int]:
        return [int(number) for number in re.findall(rb"#(\d+);", b"\n".join(chunk.data for chunk in self.chunks))]

    def teardown(self) -> None:
        try:
            self.wake()
            self.time_passes(6.0)
            self.time_passes(61.0)
            self._check()
        finally:
            self.follower.close()
            for writer in (self.writer, *(late for late, _ in self.late)):
                writer.close()
            if not self.generations:
                self.patch.stop()
            shutil.rmtree(self.directory)

    def _check(self) -> None:
        assert sorted(self._numbers()) == list(range(self.number))
        assert sum(len(chunk.data) for chunk in self.chunks) == self.written
        order: defaultdict[str, list[int]] = defaultdict(list)
        for chunk in self.chunks:
            order[chunk.position.generation] += [int(number) for number in re.findall(rb"#(\d+);", chunk.data)]
        assert all(numbers == sorted(numbers) for numbers in order.values())


class StoryWithKills(Story):
    """`kill -9`: what came after the last commit is forgotten, and has to come again."""

    @rule()
    def wake(self) -> None:
        self._look()

    @rule(seconds=st.sampled_from([1.0, 6.0, 61.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self._look()

    @rule()
    def read_and_commit(self) -> None:
        self._look()
        if self.unfinished_rotated:
            self.time_passes(6.0)
        self._commit()
        self.unseen_rotations, self.unfinished_rotated = 0, False

    @rule(read=st.just(True))
    def stop_and_start(self, read: bool) -> None:
        """Reads before it stops."""
        self.read_and_commit()
        self.follower.close()
        self.follower = self._follower()

    @rule()
    def kill(self) -> None:
        self.follower.close()
        del self.chunks[self.committed[0] :]
        self.follower = self._follower()


class StoryWithoutGenerations(Story):
    """tmpfs, NFS and FUSE: content has to tell files apart."""

    generations = False


_SETTINGS = settings(
    max_examples=80, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestStory = Story.TestCase
TestStory.settings = _SETTINGS
TestStoryWithKills = StoryWithKills.TestCase
TestStoryWithKills.settings = _SETTINGS
TestStoryWithoutGenerations = StoryWithoutGenerations.TestCase
TestStoryWithoutGenerations.settings = _SETTINGS
