"""Whether a new file at a log's path is a copy of what was read: `sed -i`, `cp` and `mv`, rsync, a restore."""

import os
import re
from collections.abc import Iterable

from xenwatch.logs.files.cursors import Cursor
from xenwatch.logs.files.file_reader import PIECE_BYTES, FileReader
from xenwatch.logs.files.fingerprint import HEAD_BYTES, FileIdentity
from xenwatch.logs.files.rotation import RotatedFile

_CLOCK_TIME = re.compile(rb"\d\d:\d\d")


def is_replacement(member: RotatedFile, cursor: Cursor, modified: float | None = None) -> bool:
    """Whether the log's file holds all that was read of another one up to the cursor. Raises OSError.

    A new run may begin with the lines of the one before it. It does not where they carry a time, where they fill a
    kilobyte, or where the file has the very time of the other's last change (`modified`).
    """
    if member.rotated or cursor.renamed or not cursor.offset or not cursor.matches(member.fd):
        return False
    head = os.pread(member.fd, cursor.head.length, 0)
    return len(head) == HEAD_BYTES or bool(_CLOCK_TIME.search(head)) or member.modified == modified


def is_only_a_number(member: RotatedFile, cursor: Cursor) -> bool:
    """Whether file and cursor share an inode number that any file may have by now. Raises OSError.

    A log that was renamed seldom gets its name back; its successor often says the same, where lines carry no time.
    """
    if cursor.identity.generation is not None:
        return False
    successor = cursor.renamed and not member.rotated
    return cursor.offset == 0 or (successor and not _CLOCK_TIME.search(os.pread(member.fd, cursor.head.length, 0)))


def replaced_readers(member: RotatedFile, open_: list[FileReader], identities: set[FileIdentity]) -> list[FileReader]:
    """The readers with files that are gone and that the log's file replaces, least read first. Raises OSError."""
    replaced = [
        reader
        for reader in open_
        if reader.identity not in identities and is_replacement(member, reader.cursor(), reader.modified)
    ]
    return sorted(replaced, key=lambda reader: reader.offset)


def moved_cursors(member: RotatedFile, parked: Iterable[Cursor], identities: set[FileIdentity]) -> list[Cursor]:
    """Those of files that are gone or had another device number, and that the file may go on from. Raises OSError."""
    return [
        cursor
        for cursor in parked
        if cursor.head.length
        and cursor.identity not in identities
        and (member.rotated or not cursor.renamed)
        and (cursor.may_be(member.identity) or is_replacement(member, cursor))
    ]


def skip_copied(replaced: FileReader, copy: FileReader) -> None:
    """What was not read of the replaced file and is in the copy too is left to the copy. Raises OSError.

    A daemon may go on writing to the replaced file, of which it holds a descriptor.
    """
    at = replaced.offset
    while True:
        old, new = os.pread(replaced.fd, PIECE_BYTES, at), os.pread(copy.fd, PIECE_BYTES, at)
        same = _same_bytes(old, new)
        at += same
        if same < PIECE_BYTES:
            break
    if at > replaced.offset:
        replaced.skip_to(at)


def _same_bytes(one: bytes, other: bytes) -> int:
    """How many bytes the beginnings of both have in common."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low
