"""The files of a zip archive, one after the other as they stand in it: what XenCenter packs a status report in.

A stream does not go back, so that the directory at the end is not asked: each file has a header of its own (PKWARE,
APPNOTE.TXT, 4.3). What somebody cut off is read up to there.
"""

import io
import itertools
import struct
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, cast

from xenwatch.base.errors import ArchiveBomb
from xenwatch.triage.bundle.archive import ArchiveLimits, BoundedStream, CountedStream, Unfolded

_FILE, _SIGNED, _ENDS = b"PK\x03\x04", b"PK\x07\x08", (b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06", b"")
_HEADER = struct.Struct("<HHHHHIIIHH")
_STORED, _DEFLATED = 0, 8
_ENCRYPTED, _SIZES_BEHIND, _UTF8 = 0x1, 0x8, 0x800
_ZIP64, _IN_EXTRA = 1, 0xFFFFFFFF
_PIECE = 64 * 1024


@dataclass(frozen=True, slots=True)
class ZipMember:
    """A file of the archive, by what a tar's members say too."""

    name: str
    mtime: float

    def isdir(self) -> bool:
        """Folders have a slash behind their names."""
        return self.name.endswith("/")


class _Source:
    """The archive; what was taken too much is given back."""

    def __init__(self, stream: io.RawIOBase) -> None:
        self._stream, self._back = cast("BinaryIO", io.BufferedReader(stream, _PIECE)), b""

    def read(self, most: int) -> bytes:
        part, self._back = self._back[:most], self._back[most:]
        return part or self._stream.read(most)

    def whole(self, size: int) -> bytes:
        data = b""
        while len(data) < size and (part := self.read(size - len(data))):
            data += part
        return data

    def give_back(self, data: bytes) -> None:
        self._back = data + self._back


class _Member(io.RawIOBase):
    """The packed bytes of one file; `left` is how many there are, None where the header does not say."""

    def __init__(self, source: _Source, left: int | None) -> None:
        self._source, self.left = source, left

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]  # typeshed's Buffer
        data = self._source.read(len(buffer) if self.left is None else min(len(buffer), self.left))
        buffer[: len(data)] = data
        if self.left is not None:
            if not data and self.left:
                raise EOFError("ends in the middle of a file")
            self.left -= len(data)
        return len(data)

    def give_back(self, data: bytes) -> None:
        """What stood behind the end of the file."""
        self._source.give_back(data)
        if self.left is not None:
            self.left += len(data)


class _Deflated(io.RawIOBase):
    """The same unpacked."""

    def __init__(self, packed: CountedStream, member: _Member) -> None:
        self._packed, self._member, self._inflate = packed, member, zlib.decompressobj(-zlib.MAX_WBITS)
        self._waiting = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]  # typeshed's Buffer
        while not self._inflate.eof:
            if not self._waiting:
                block = bytearray(_PIECE)
                self._waiting = bytes(block[: self._packed.readinto(block)])
                if not self._waiting:
                    raise EOFError("ends in the middle of a file")
            data = self._inflate.decompress(self._waiting, len(buffer))
            self._waiting = self._inflate.unconsumed_tail
            if self._inflate.eof:
                self._member.give_back(self._inflate.unused_data)
            if data:
                buffer[: len(data)] = data
                return len(data)
        return 0


class _Unreadable(io.RawIOBase):
    """A file that is there and cannot be unpacked here."""

    def read(self, _size: int = -1) -> bytes:
        raise EOFError("it is encrypted, or packed in a way that is not known here")


def zip_members(
    stream: io.RawIOBase, limits: ArchiveLimits, whole: Unfolded
) -> Iterator[tuple[ZipMember, BinaryIO | None]]:
    """The files in their order; None for the stream of a folder. What is encrypted raises EOFError when it is read.

    Raises EOFError or zlib.error where it is torn, and ArchiveBomb.
    """
    source = _Source(stream)
    for number in itertools.count():
        signature = source.whole(len(_FILE))
        if signature in _ENDS:
            return
        if signature != _FILE:
            raise EOFError("a part of it is no file")
        if number >= limits.members:
            raise ArchiveBomb(f"holds more than {limits.members} files")
        yield from _one(source, limits, whole)


def _one(source: _Source, limits: ArchiveLimits, whole: Unfolded) -> Iterator[tuple[ZipMember, BinaryIO | None]]:
    head = source.whole(_HEADER.size)
    if len(head) < _HEADER.size:
        raise EOFError("ends before the files it announces")
    _, flags, method, clock, date, _, packed_size, size, name_length, extra_length = _HEADER.unpack(head)
    name, extra = source.whole(name_length), source.whole(extra_length)
    known = not flags & _SIZES_BEHIND
    member = _Member(source, _packed_size(packed_size, size, extra) if known else None)
    told = ZipMember(name.decode("utf-8" if flags & _UTF8 else "cp437", "replace"), _moment(date, clock))
    opened = None if flags & _ENCRYPTED else _opened(member, method, limits, whole)
    if opened is None and not known:
        raise EOFError("a file in it cannot be read, and its length is not told")
    yield told, None if told.isdir() else opened or cast("BinaryIO", _Unreadable())
    while opened is not None and opened.read(_PIECE):
        pass
    while member.left and member.read(_PIECE):
        pass
    if not known:
        _skip_sizes(source)


def _opened(member: _Member, method: int, limits: ArchiveLimits, whole: Unfolded) -> BinaryIO | None:
    packed = CountedStream(cast("BinaryIO", member))
    if method == _DEFLATED:
        inner = cast("BinaryIO", _Deflated(packed, member))
    elif method == _STORED and member.left is not None:
        inner = cast("BinaryIO", packed)
    else:
        return None
    return cast("BinaryIO", io.BufferedReader(BoundedStream(inner, packed, limits, whole), _PIECE))


def _packed_size(packed: int, size: int, extra: bytes) -> int:
    """Larger than 4 GiB: in the further field 1, behind the size of the unpacked file where that is as large."""
    while packed == _IN_EXTRA and len(extra) > 4:  # noqa: PLR2004 - a field's own header
        kind, length = struct.unpack_from("<HH", extra)
        if kind == _ZIP64:
            at = 12 if size == _IN_EXTRA else 4
            return int(struct.unpack_from("<Q", extra, at)[0]) if len(extra) >= at + 8 else packed
        extra = extra[4 + length :]
    return packed


def _skip_sizes(source: _Source) -> None:
    """Behind a file that began before they were known: with a signature or not, in 4 bytes each or in 8."""
    first = source.whole(4)
    if first == _SIGNED:
        source.whole(4)
    source.whole(8)
    following = source.whole(4)
    if following[:2] != b"PK":
        following = source.whole(8)[4:]
    source.give_back(following)


def _moment(date: int, clock: int) -> float:
    """DOS's local time in steps of two seconds; 0 where there is no such day."""
    fields = (1980 + (date >> 9), date >> 5 & 15, date & 31, clock >> 11, clock >> 5 & 63, 2 * (clock & 31))
    try:
        return time.mktime((*fields, 0, 0, -1))
    except (ValueError, OverflowError):
        return 0.0
