"""Reads the small files of /proc, /sys and /etc cheaply; what is not there is None, not an error."""

import os
from collections.abc import Sequence
from pathlib import Path

_FLAGS = os.O_RDONLY | os.O_CLOEXEC
_BLOCK = 256 * 1024


def read_bytes(path: Path | str, limit: int = 4 * 1024 * 1024) -> bytes | None:
    """Up to `limit` bytes of a file; None where it is missing, unreadable or refuses to be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        return _read_all(descriptor, limit)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _read_all(descriptor: int, limit: int) -> bytes:
    data = os.read(descriptor, min(_BLOCK, limit))
    parts, size = [data], len(data)
    while data and size < limit:  # procfs hands out a page or so at a time, whatever was asked for
        data = os.read(descriptor, min(_BLOCK, limit - size))
        parts.append(data)
        size += len(data)
    return b"".join(parts)


def read_text(path: Path | str) -> str | None:
    """A file as text, invalid UTF-8 replaced, outer white space off."""
    data = read_bytes(path)
    return None if data is None else data.decode("utf-8", "replace").strip()


def read_line(path: str) -> bytes | None:
    """For the many one-line files of sysfs: one read, no second one to meet the end."""
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError:
        return None
    try:
        return os.read(descriptor, 256)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def read_number(path: str) -> int | None:
    """The one number in a file of sysfs; None where there is none."""
    data = read_line(path)
    try:
        return None if data is None else int(data)
    except ValueError:
        return None


def read_numbers(folder: str, names: Sequence[str]) -> list[int | None]:
    """Numbers of many files of one folder; its path is walked only once; all None where it is missing."""
    try:
        directory = os.open(folder, _FLAGS | os.O_DIRECTORY)
    except OSError:
        return [None] * len(names)
    try:
        return _numbers_in(directory, names)
    finally:
        os.close(directory)


def _numbers_in(directory: int, names: Sequence[str]) -> list[int | None]:
    """In one loop: with 14,000 files a cycle even a function call for each shows."""
    found: list[int | None] = []
    for name in names:
        try:
            descriptor = os.open(name, _FLAGS, dir_fd=directory)
        except OSError:
            found.append(None)
            continue
        try:
            found.append(int(os.read(descriptor, 64)))
        except (OSError, ValueError):
            found.append(None)
        finally:
            os.close(descriptor)
    return found


def names_in(folder: Path | str) -> list[str]:
    """Names in a folder, sorted; empty where it is missing or unreadable."""
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - a Path for each of 1,000 names costs
    except OSError:
        return []


def link_name(path: Path | str) -> str | None:
    """The last part of where a symbolic link leads; None where it is not a link."""
    try:
        return os.readlink(path).rpartition("/")[2]  # noqa: PTH115 - a Path costs more than the read
    except OSError:
        return None
