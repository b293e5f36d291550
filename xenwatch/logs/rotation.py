"""Which files belong to one log: `xend.log` and what it was renamed or copied to, oldest first."""

# ruff: noqa: PTH116, PTH118, PTH208  a Path costs ten times a string
import os
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from xenwatch.logs.file_reader import open_log
from xenwatch.logs.fingerprint import FileIdentity, identify

_COMPRESSED = (".gz", ".bz2", ".xz", ".zst")
_NUMBERED = re.compile(r"(.+)\.(\d{1,3})")
_DATED = re.compile(r"(.+)-(\d{8}(?:-?\d{2,10})?)")
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


def log_name(name: str) -> str | None:
    """Its log: `xend.log` for `xend.log.3` and `xend.log-20110518`; None for a compressed file."""
    if name.endswith(_COMPRESSED):
        return None
    rotated = _NUMBERED.fullmatch(name) or _DATED.fullmatch(name)
    return rotated[1] if rotated else name


def group(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The files of each log, oldest first."""
    logs: defaultdict[str, list[str]] = defaultdict(list)
    for name in names:
        log = log_name(name)
        if log is not None:
            logs[log].append(name)
    return {log: tuple(sorted(files, key=_age)) for log, files in logs.items()}


def _age(name: str) -> tuple[int, str, int]:
    if dated := _DATED.fullmatch(name):
        return 0, dated[2], 0
    if numbered := _NUMBERED.fullmatch(name):
        return 1, "", -int(numbered[2])
    return 2, "", 0


def file_names(directory: str, log: str) -> tuple[str, ...]:
    """Names of the log's files as they are now, oldest first. Raises OSError."""
    return group(name for name in os.listdir(directory) if name.startswith(log)).get(log, ())


def open_files(directory: str, log: str) -> tuple[list[RotatedFile], bool, int]:
    """All open files of a log, oldest first; whether they are surely all; how many could not be read.

    They are opened newest first: files that are renamed meanwhile get older names, so they are seen twice rather
    than missed. After a rotation meanwhile it is done again, a few times at most.
    """
    steady, members, unreadable = False, list[RotatedFile](), 0
    for _ in range(_WALKS):
        before = _listed(directory, log)
        close_all(members)
        members, unreadable = _open_all(directory, log, [name for name, _, _ in before])
        steady = before == _listed(directory, log)
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


def close_all(members: Iterable[RotatedFile]) -> None:
    """Close the files."""
    for member in members:
        os.close(member.fd)


def _listed(directory: str, log: str) -> list[tuple[str, int, int]]:
    listed = []
    for name in file_names(directory, log):
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
    """The name that the oldest numbered file may have got since the names were listed."""
    numbered = [match for name in names if (match := _NUMBERED.fullmatch(name))]
    return [f"{match[1]}.{int(match[2]) + 1}" for match in numbered[:1]]


def _member(name: str, fd: int, rotated: bool) -> RotatedFile:
    status = os.fstat(fd)
    return RotatedFile(name, fd, identify(fd), status.st_size, status.st_mtime, rotated)
