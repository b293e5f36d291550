"""A follower on real files that is driven by hand: `look()` is a wake, `advance()` lets time pass."""

import json
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest

from xenwatch.base.clock import ManualClock
from xenwatch.logs.follow import Follower
from xenwatch.logs.options import FollowOptions
from xenwatch.model.record import Chunk, LogFormat, Source

FORMAT = LogFormat("plain", "anything")


class Rig:
    """`text()` is all that was handed on, over restarts too."""

    def __init__(self, directory: Path, patterns: tuple[str, ...] = ("*.log",), **options) -> None:
        self.directory = directory
        self.path = directory / "xend.log"
        self.chunks: list[Chunk] = []
        self.clock = ManualClock()
        self.patterns = [str(directory / pattern) for pattern in patterns]
        self.options = FollowOptions(**options)
        self.open_source = lambda path, _head: Source(path, FORMAT)
        self.follower = self._start(None)

    def _start(self, cursors) -> Follower:
        return Follower(
            self.patterns,
            self.chunks.append,
            self._ask,
            self.clock,
            cursors=cursors,
            options=self.options,
        )

    def _ask(self, path: str, head: bytes) -> Source | None:
        return self.open_source(path, head)

    async def look(self) -> None:
        await self.follower.look()

    async def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
        await self.follower.look()

    def stop(self) -> None:
        self.cursors = json.loads(json.dumps(self.follower.cursors()))
        self.follower.close()

    def start(self) -> None:
        self.follower = self._start(self.cursors)

    def text(self, path: Path | None = None) -> bytes:
        return b"".join(chunk.data for chunk in self.chunks if path is None or chunk.source.path == str(path))

    def write(self, text: bytes | str, path: Path | None = None) -> None:
        with (path or self.path).open("ab") as log:
            log.write(text.encode() if isinstance(text, str) else text)

    def rotate(self, keep: int = 5) -> None:
        """As xend does it: .4 to .5, … and a new file, which gets the inode of the one that was removed."""
        names = [self.path, *(self.path.with_name(f"{self.path.name}.{n}") for n in range(1, keep + 1))]
        names[-1].unlink(missing_ok=True)
        for old, new in reversed(list(pairwise(names))):
            if old.exists():
                old.rename(new)
        self.path.touch()

    def copytruncate(self) -> None:
        copy = self.path.with_name(f"{self.path.name}.1")
        if copy.exists():
            copy.rename(self.path.with_name(f"{self.path.name}.2"))
        copy.write_bytes(self.path.read_bytes())
        with self.path.open("r+b") as log:
            log.truncate(0)

    @property
    def counters(self) -> SimpleNamespace:
        return self.follower.counters.of(str(self.path))


@pytest.fixture
def rig(tmp_path: Path):
    made = Rig(tmp_path)
    yield made
    made.follower.close()


@pytest.fixture
def make_rig(tmp_path: Path):
    made: list[Rig] = []

    def make(**options) -> Rig:
        made.append(Rig(options.pop("directory", tmp_path), **options))
        return made[-1]

    yield make
    for one in made:
        one.follower.close()


@pytest.fixture(params=["with inode generations", "without"])
def any_file_system(request, monkeypatch):
    """tmpfs, NFS and FUSE tell no inode generation: everything must also work by content alone."""
    if request.param == "without":
        monkeypatch.setattr("xenwatch.logs.files.fingerprint._generation", lambda _fd: None)
    return request.param
