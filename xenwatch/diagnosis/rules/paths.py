"""Which files are rule files; apart from what reads them, since the kept library needs no YAML."""

import hashlib
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

_SETTLED = 2.0
"""Seconds after which a file that is written once more has another time."""


def rule_files(paths: Iterable[Path]) -> list[Path]:
    """The `.yaml` files at and under `paths`, in a stable order."""
    found: set[Path] = set()
    for path in paths:
        found.update(p for p in path.rglob("*.yaml") if p.is_file()) if path.is_dir() else found.add(path)
    return sorted(found)


def stamp_of(paths: Iterable[str]) -> str | None:
    """Changes with every change to the rule files there. None: one was written just now, or cannot be looked at.

    The time at which a file's content was last changed is the system's own: nobody sets it back.
    """
    digest, youngest = hashlib.sha256(), time.time() - _SETTLED
    try:
        for path in sorted({file for given in paths for file in _files(given)}):
            status = os.stat(path)  # noqa: PTH116  six hundred of them at each start: a Path costs more than the look
            if status.st_ctime > youngest:
                return None
            of_file = (path, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev)
            digest.update(repr(of_file).encode("utf-8", "surrogateescape"))
    except OSError:
        return None
    return digest.hexdigest()[:32]


def _files(path: str) -> Iterator[str]:
    if not os.path.isdir(path):  # noqa: PTH112
        yield path
        return
    for folder, _, names in os.walk(path):
        yield from (f"{folder}/{name}" for name in names if name.endswith(".yaml"))
