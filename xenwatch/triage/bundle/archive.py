"""Opens what logs are packed in (tar, gzip, bzip2, xz, zstd) as bounded streams; nothing is ever written to disk."""

import io
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast

from xenwatch.base.durations import format_size
from xenwatch.base.errors import ArchiveBomb

if TYPE_CHECKING:
    import tarfile

_MAGIC = {b"\x1f\x8b": "gz", b"BZh": "bz2", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zst", b"PK\x03\x04": "zip"}
_TAR_MAGIC_AT = 257
_LAST_MOMENT = 4102444800.0
"""2100: a file from later than that has no time, only a forged number."""
HEAD = 64 * 1024
_PACKED = 8 * 1024
"""Packed bytes that are read ahead, and count before they are unpacked."""


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """What one bundle may unfold to. A log compresses 10 to 60 times; a bomb 1000 times."""

    total_bytes: int = 64 * 1024**3
    ratio: int = 250
    ratio_from_bytes: int = 64 * 1024**2
    """The ratio is judged only once this much came out of all of it: a few small files of one line are no bombs."""
    small_bytes: int = 1024**2
    """Afterwards it is judged from here on in each file: many small bombs are one big one."""
    members: int = 200_000


class Unfolded:
    """How much has come out of everything that is packed in one bundle."""

    def __init__(self) -> None:
        self.bytes = 0


class ArchivedFile(Protocol):
    """A file in an archive."""

    @property
    def name(self) -> str: ...

    @property
    def mtime(self) -> float: ...

    def isdir(self) -> bool: ...


Members = Iterator[tuple[ArchivedFile, BinaryIO | None]]
"""In the archive's order; None for the stream of what must not or cannot be read."""


class BoundedStream(io.RawIOBase):
    """The unpacked side of a stream; raises Bomb when more comes out of it than its limits allow."""

    def __init__(self, inner: BinaryIO, packed: "CountedStream", limits: ArchiveLimits, whole: Unfolded) -> None:
        """`whole` counts what comes out of this stream too."""
        self._inner, self._packed, self._limits, self._whole = inner, packed, limits, whole
        self._out = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]  # typeshed's Buffer
        data = self._inner.read(len(buffer))
        buffer[: len(data)] = data
        self._out += len(data)
        self._whole.bytes += len(data)
        self._judge()
        return len(data)

    def _judge(self) -> None:
        limits = self._limits
        if self._whole.bytes > limits.total_bytes:
            raise ArchiveBomb(f"unfolds to more than {format_size(limits.total_bytes)}")
        free = self._whole.bytes <= limits.ratio_from_bytes or self._out <= limits.small_bytes
        if not free and self._out > limits.ratio * max(1, self._packed.count):
            raise ArchiveBomb(f"unfolds to more than {limits.ratio} times its size")


class CountedStream(io.RawIOBase):
    """The packed side of a stream: knows how many bytes were taken from it."""

    def __init__(self, inner: BinaryIO) -> None:
        self._inner = inner
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]  # typeshed's Buffer
        data = self._inner.read(len(buffer))
        buffer[: len(data)] = data
        self.count += len(data)
        return len(data)


class EndingStream(io.RawIOBase):
    """Says plainly that a stream is over: tarfile would read on for the years that a forged size tells it to."""

    _MOST_ENDS = 8

    def __init__(self, inner: io.RawIOBase) -> None:
        self._inner, self._ends = inner, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]  # typeshed's Buffer
        count = self._inner.readinto(buffer) or 0
        self._ends = 0 if count else self._ends + 1
        if self._ends > self._MOST_ENDS:
            raise EOFError("ends before the files it announces")
        return count


class PeekedStream(io.RawIOBase):
    """A stream that lets its first 64 KiB be looked at; a pipe is asked until they are there or it ended."""

    def __init__(self, inner: BinaryIO) -> None:
        self._inner = inner
        parts, held = [], 0
        while held < HEAD and (part := inner.read(HEAD - held)):
            parts.append(part)
            held += len(part)
        self.head = b"".join(parts)
        self._given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]  # typeshed's Buffer
        if self._given < len(self.head):
            part = self.head[self._given : self._given + len(buffer)]
            buffer[: len(part)] = part
            self._given += len(part)
            return len(part)
        return cast("io.BufferedReader", self._inner).readinto(buffer)

    def rewrite(self, most: int, change: Callable[[bytes], bytes]) -> None:
        """Put what `change` makes of the text in its place, provided that it is no longer than `most` bytes.

        Before anything is read. What is damaged stays as it is, and the reading of it will say so.
        """
        try:
            while len(self.head) <= most:
                part = self._inner.read(most + 1 - len(self.head))
                if not part:
                    self.head = change(self.head)
                    return
                self.head += part
        except damaged(ArchiveBomb):  # asked for only where something was raised
            return

    @property
    def packing(self) -> str | None:
        """`tar`, `gz`, `bz2`, `xz`, `zst`, `zip`, or None for what is not packed."""
        if self.head[_TAR_MAGIC_AT : _TAR_MAGIC_AT + 5] == b"ustar":
            return "tar"
        return next((name for magic, name in _MAGIC.items() if self.head.startswith(magic)), None)


def damaged(*further: type[BaseException]) -> tuple[type[BaseException], ...]:
    """What the readers raise on a torn or forged archive, and `further`. For plain files none of it is loaded."""
    import lzma  # noqa: PLC0415
    import tarfile  # noqa: PLC0415
    import zlib  # noqa: PLC0415

    import zstandard  # noqa: PLC0415

    return (*further, EOFError, OSError, lzma.LZMAError, tarfile.TarError, zlib.error, zstandard.ZstdError)


def unpacked(stream: io.RawIOBase, kind: str, limits: ArchiveLimits, whole: Unfolded | None = None) -> BinaryIO:
    """What a compressed stream (gz, bz2, xz, zst) holds; `whole`: the bundle's. Raises one of `damaged`, or Bomb."""
    packed = CountedStream(cast("BinaryIO", stream))
    buffered = cast("BinaryIO", io.BufferedReader(packed, _PACKED))
    inner: BinaryIO
    if kind == "gz":
        import gzip  # noqa: PLC0415

        inner = cast("BinaryIO", gzip.GzipFile(fileobj=buffered))
    elif kind == "bz2":
        import bz2  # noqa: PLC0415

        inner = cast("BinaryIO", bz2.BZ2File(buffered))
    elif kind == "xz":
        import lzma  # noqa: PLC0415

        inner = cast("BinaryIO", lzma.LZMAFile(buffered))  # noqa: SIM115  # lives as long as the stream below
    else:
        import zstandard  # noqa: PLC0415

        decompressor = zstandard.ZstdDecompressor(max_window_size=2**27)
        inner = cast("BinaryIO", decompressor.stream_reader(buffered, read_across_frames=True))
    return cast("BinaryIO", io.BufferedReader(BoundedStream(inner, packed, limits, whole or Unfolded()), 64 * 1024))


def members(stream: io.RawIOBase, limits: ArchiveLimits) -> Iterator[tuple["tarfile.TarInfo", BinaryIO | None]]:
    """The members of a tar in its order; None for the stream where a member is no plain file and must not be read."""
    with _opened(cast("BinaryIO", EndingStream(stream))) as archive:
        for number in itertools.count():
            with _forged_headers():
                member = archive.next()
            if member is None:
                return
            if number >= limits.members:
                raise ArchiveBomb(f"holds more than {limits.members} files")
            plain = member.isreg() and not member.issparse()
            yield member, cast("BinaryIO | None", archive.extractfile(member)) if plain else None
            # tarfile remembers every header it has read; a stream never goes back.
            archive.members = []  # type: ignore[attr-defined]  # not in typeshed


def _opened(stream: BinaryIO) -> "tarfile.TarFile":
    import tarfile  # noqa: PLC0415

    with _forged_headers():
        return tarfile.open(fileobj=stream, mode="r|", errorlevel=1)


@contextmanager
def _forged_headers() -> Iterator[None]:
    """A size in letters, a sparse map that is none: tarfile lets the conversion's own error through."""
    try:
        yield
    except (ValueError, ArithmeticError, LookupError) as error:
        import tarfile  # noqa: PLC0415

        raise tarfile.ReadError(f"a header that cannot be read ({str(error)[:100]})") from None


def harmless_name(name: str) -> str:
    """A member's name for display: nothing that climbs, and nothing a terminal would obey."""
    parts = [part for part in name.split("/") if part not in ("", ".", "..")]
    return "".join(char if char.isprintable() else "?" for char in "/".join(parts))


def sane_time(mtime: float) -> float | None:
    """The time of a file; None where nobody can have written it then, such as in the year 30000."""
    return float(mtime) if 0 < mtime < _LAST_MOMENT else None
