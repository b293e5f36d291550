"""Which files of a bundle are worth a worker process, and how many workers there are."""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from xenwatch.triage.bundle.reader import STDIN, rotation_order

LEAST_FILE = 1024 * 1024
LEAST_BYTES = 32 * 1024 * 1024
"""Of all large files together: for less, workers are not worth their start."""


def large_files(paths: Sequence[str]) -> list[str]:
    """The regular files at and below the paths that are worth a worker, in the order in which a bundle is read."""
    found = [path for path in _files(paths) if _size(path) >= LEAST_FILE]
    return found if len(found) > 1 and len(set(found)) == len(found) else []


def jobs_for(paths: Sequence[str], files: Sequence[str], asked: int | None) -> int:
    """How many workers: as many as were asked for, else one for each processor where there is much to read."""
    if not files or STDIN in paths:
        return 1
    if asked is not None:
        return asked
    return len(os.sched_getaffinity(0)) if sum(map(_size, files)) >= LEAST_BYTES else 1


def _files(paths: Sequence[str]) -> Iterator[str]:
    for path in paths:
        if not Path(path).is_dir():
            yield path
            continue
        for where, folders, names in os.walk(path):
            folders.sort()
            yield from (str(Path(where, name)) for name in sorted(names, key=rotation_order))


def _size(path: str) -> int:
    with suppress(OSError):
        if Path(path).is_file() and not Path(path).is_symlink():
            return Path(path).stat().st_size
    return 0
