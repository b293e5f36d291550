"""The last lines of the logs that are about one guest, for its page."""

import asyncio
import os
import stat
from collections.abc import Iterable, Mapping, Sequence

from xenwatch.host.inventory import DomainInventory
from xenwatch.logs.format import all_formats
from xenwatch.logs.owner import owner_of
from xenwatch.model.record import LogFormat
from xenwatch.web.context import LogTail

MOST_LOGS = 6
"""Logs of one guest that are shown, those that were written last."""
MOST_LINES = 12
_MOST_BYTES = 16 * 1024
_LONGEST_LINE = 500


async def log_tails(followed: Mapping[str, str], inventory: DomainInventory | None, guest: str) -> Sequence[LogTail]:
    """Of the logs that are followed (path and format), those with this guest's name or domid; the youngest first."""
    domids = {one.domid for one in inventory.domains if one.name == guest} - {None} if inventory else set()
    formats = all_formats()
    found = []
    for path, name in list(followed.items()):
        format_ = formats.get(name)
        owner = owner_of(path, format_) if format_ is not None else None
        if owner is not None and format_ is not None and (owner.name == guest or owner.domid in domids):
            found.append((path, format_))
    return await asyncio.to_thread(_read_all, found)


def _read_all(logs: Iterable[tuple[str, LogFormat]]) -> list[LogTail]:
    read = [(*_end_of(path), path, format_) for path, format_ in logs]
    youngest = sorted((one for one in read if one[1]), key=lambda one: -one[0])[:MOST_LOGS]
    return [
        LogTail(path, lines, format_.guest_written or format_.guest_prompts) for _, lines, path, format_ in youngest
    ]


def _end_of(path: str) -> tuple[float, tuple[str, ...]]:
    """When it was written last, and its last lines; nothing of what is no file or cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return 0.0, ()
    try:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            return 0.0, ()
        start = max(0, about.st_size - _MOST_BYTES)
        lines = os.pread(descriptor, _MOST_BYTES, start).decode("utf-8", "replace").splitlines()
    except OSError:
        return 0.0, ()
    finally:
        os.close(descriptor)
    whole = lines[1:] if start else lines  # the first one was cut
    return about.st_mtime, tuple(line[:_LONGEST_LINE] for line in whole[-MOST_LINES:])
