"""Which files belong to one log: `xend.log` and what it was renamed or copied to, oldest first."""

# ruff: noqa: PTH116, PTH118, PTH208  a Path costs ten times a string
import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from xenwatch.logs.files.file_reader import FileReader, open_log
from xenwatch.logs.files.fingerprint import FileIdentity, identify
from xenwatch.logs.rotated_name import RotatedName, rotated_name

_WALKS = 5
_COPY_SECONDS = 2.0
_COMPARED_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class RotatedFile:
    """An open file of a log."""

    name: str
    fd: int
    identity: FileIdentity
    size: int
    modified: float
    rotated: bool


def group(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The files of each log, oldest first; compressed ones are not followed and left out."""
    logs: defaultdict[str, list[tuple[RotatedName, str]]] = defaultdict(list)
    for name in names:
        rotated = rotated_name(name)
        if not rotated.packed:
            logs[rotated.log].append((rotated, name))
    return {log: tuple(name for _, name in sorted(files, key=_oldest_first)) for log, files in logs.items()}


def _oldest_first(file: tuple[RotatedName, str]) -> tuple[tuple[int, str, int], str]:
    rotated, name = file
    return rotated.age, name


def file_names(directory: str, log: str) -> tuple[str, ...]:
    """Names of the log's files as they are now, oldest first. Raises OSError."""
    return group(name for name in os.listdir(directory) if name.startswith(log)).get(log, ())


def open_files(directory: str, log: str, others: Iterable[str] = ()) -> tuple[list[RotatedFile], bool, int]:
    """All open files of a log, oldest first; whether they are surely all; how many could not be read.

    `others` are paths of files of this log that its name does not tell.

    They are opened newest first: files that are renamed meanwhile get older names, so they are seen twice rather
    than missed. After a rotation meanwhile it is done again, a few times at most.
    """
    steady, members, unreadable = False, list[RotatedFile](), 0
    for _ in range(_WALKS):
        before = _listed(directory, log, others)
        close_all(members)
        members, unreadable = _open_all(directory, log, [name for name, _, _ in before])
        steady = before == _listed(directory, log, others)
        if steady:
            break
    return members, steady and not unreadable, unreadable


def is_copy(copy: RotatedFile, log: RotatedFile) -> bool:
    """Whether all of `copy` is at the start of `log` and about as new: a copy, perhaps not finished yet.

    Two runs of one program may begin with the same lines; the time tells their logs apart. Raises OSError.
    """
    if copy.size > log.size or not log.size or copy.modified < log.modified - _COPY_SECONDS:
        return False
    last = max(0, copy.size - _COMPARED_BYTES)
    return all(
        os.pread(copy.fd, min(_COMPARED_BYTES, copy.size), at) == os.pread(log.fd, min(_COMPARED_BYTES, copy.size), at)
        for at in (0, last)
    )


def put_in_order(readers: list[FileReader], members: list[RotatedFile], now: float) -> None:
    """Sort the readers as their files, oldest first, and say which do not read the log's own file."""
    place = {member.identity: number for number, member in enumerate(members)}
    readers.sort(key=lambda reader: place.get(reader.identity, -1))
    base = next((member.identity for member in members if not member.rotated), None)
    for reader in readers:
        detached = reader.identity != base
        if detached and not reader.detached:
            reader.quiet_since = now
        reader.detached = detached
        if reader.identity in place:
            reader.renamed = detached


def close_all(members: Iterable[RotatedFile]) -> None:
    """Close the files."""
    for member in members:
        os.close(member.fd)


def _listed(directory: str, log: str, others: Iterable[str]) -> list[tuple[str, int, int]]:
    listed = []
    for name in (*sorted(others), *file_names(directory, log)):
        try:
            status = os.stat(os.path.join(directory, name))
        except OSError:
            continue
        listed.append((name, status.st_dev, status.st_ino))
    return listed


def _open_all(directory: str, log: str, names: list[str]) -> tuple[list[RotatedFile], int]:
    members: dict[FileIdentity, RotatedFile] = {}
    unreadable = 0
    for name in [*reversed(names), *_next_numbers(names)]:
        try:
            fd = open_log(os.path.join(directory, name))
        except OSError:
            unreadable += 1
            continue
        if fd is None:
            continue
        member = _member(name, fd, name != log)
        if member.identity in members:
            os.close(fd)
        else:
            members[member.identity] = member
    return list(reversed(members.values())), unreadable


def _next_numbers(names: list[str]) -> list[str]:
    """Where the oldest numbered file may have gone to since the names were listed."""
    numbered = [rotated for name in names if (rotated := rotated_name(name)).number is not None]
    return [f"{oldest.log}.{(oldest.number or 0) + 1}" for oldest in numbered[:1]]


def _member(name: str, fd: int, rotated: bool) -> RotatedFile:
    status = os.fstat(fd)
    return RotatedFile(name, fd, identify(fd), status.st_size, status.st_mtime, rotated)
