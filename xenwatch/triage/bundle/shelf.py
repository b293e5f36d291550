"""A folder of bundles that are written on a schedule: what is due, and which old ones go."""

import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_NAME = re.compile(r"xenwatch-.+-\d{8}-\d{6}\.tar\.gz")
_PART = ".part"


@dataclass(frozen=True, slots=True)
class Shelf:
    """Only files that are called like a bundle are ever counted or deleted."""

    folder: Path
    keep_seconds: float
    keep_bytes: int

    def seconds_until_due(self, every: float, now: float) -> float:
        """After the youngest bundle, also when that was written by an earlier process; 0: now."""
        youngest = max((path.stat().st_mtime for path in self.bundles()), default=None)
        return 0.0 if youngest is None else max(0.0, min(every, youngest + every - now))

    def new(self, host: str, now: float) -> tuple[Path, Path]:
        """Where the next one is written, and what it is called when it is complete."""
        path = self.folder / f"xenwatch-{host}-{time.strftime('%Y%m%d-%H%M%S', time.localtime(now))}.tar.gz"
        return path.with_name(path.name + _PART), path

    def has_room(self, size: int) -> bool:
        """A bundle never fills the disk that the agent's state is on."""
        return shutil.disk_usage(self.folder).free > 2 * size

    def prune(self, now: float) -> list[Path]:
        """Delete what is too old, then the oldest until the rest is small enough; the youngest always stays."""
        kept, gone = sorted(self.bundles(), key=lambda path: (path.stat().st_mtime, path.name)), []
        gone += [path for path in kept[:-1] if now - path.stat().st_mtime > self.keep_seconds]
        kept = [path for path in kept if path not in gone]
        while len(kept) > 1 and sum(path.stat().st_size for path in kept) > self.keep_bytes:
            gone.append(kept.pop(0))
        for path in (*gone, *self.folder.glob(f"xenwatch-*{_PART}")):
            path.unlink(missing_ok=True)
        return gone

    def bundles(self) -> Iterator[Path]:
        """Complete ones."""
        return (path for path in self.folder.iterdir() if _NAME.fullmatch(path.name) and path.is_file())
