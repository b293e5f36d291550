"""What tapdisk3 keeps of each disk in shared memory: requests, how many were answered, how long they took.

A folder `/dev/shm/vbd3-<domid>-<devid>` with the file `statistics`, a `struct blkback_stats` of thirteen or more
words of 64 bits (blktap: include/blktap3.h). The folder is root's alone.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from xenwatch.base.errors import HostError
from xenwatch.host.exec.runner import Runner
from xenwatch.host.files import names_in, read_bytes
from xenwatch.host.paths import Paths

SHM = "/dev/shm"  # noqa: S108 - where tapdisk has it
_NAME = re.compile(r"vbd3-(\d{1,5})-(\d{1,10})")
_COUNT = 13
_WORDS = struct.Struct(f"={_COUNT}q")
_DEADLINE = 3.0


@dataclass(frozen=True, slots=True)
class TapdiskCounts:
    """Since the disk was connected. Sums and the longest are microseconds."""

    starved: int
    """How often there was no memory for a request."""
    reads: int
    reads_done: int
    read_sectors: int
    read_microseconds: int
    longest_read_microseconds: int
    writes: int
    writes_done: int
    written_sectors: int
    write_microseconds: int
    longest_write_microseconds: int


def tapdisks(paths: Paths) -> Iterator[tuple[int, int]]:
    """Each as domid and devid: a disk that has such a folder."""
    for name in names_in(paths.at(SHM.lstrip("/"))):
        if found := _NAME.fullmatch(name):
            yield int(found[1]), int(found[2])


async def read_tapdisk(paths: Paths, runner: Runner, domid: int, devid: int) -> TapdiskCounts | None:
    """None where the disk has gone. Who is not root asks through `od`, which the reader runs."""
    file = f"{SHM}/vbd3-{domid}-{devid}/statistics"
    data = read_bytes(paths.at(file.lstrip("/")), _WORDS.size)
    if data is not None:
        return _counts(_WORDS.unpack(data)) if len(data) == _WORDS.size else None
    try:
        done = await runner.run(("od", "-A", "n", "-v", "-t", "d8", "-N", str(_WORDS.size), "--", file), _DEADLINE)
    except HostError:
        return None
    words = done.text.split()
    return _counts(tuple(map(int, words))) if done.returncode == 0 and len(words) == _COUNT else None


def _counts(words: tuple[int, ...]) -> TapdiskCounts | None:
    """The first two words are discards and flushes, which tapdisk never counts."""
    counts = words[2:]
    return TapdiskCounts(*counts) if min(counts) >= 0 else None
