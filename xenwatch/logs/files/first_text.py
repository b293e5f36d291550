"""The first bytes of a log that say something: a truncation under a writer leaves NUL bytes before them."""

import os

HEAD_BYTES = 64 * 1024
_PIECE = 1 << 20
_MOST_NULS = 64 << 20


def first_text(fd: int) -> bytes:
    """At most HEAD_BYTES; the very first ones where nothing but NUL bytes was found. Raises OSError."""
    head = os.pread(fd, HEAD_BYTES, 0)
    if not head or head.strip(b"\0"):
        return head
    text = _behind_nuls(fd, len(head)).lstrip(b"\0")
    return text or head


def _behind_nuls(fd: int, at: int) -> bytes:
    """A hole in the file costs nothing, NUL bytes that were written are read up to a bound."""
    end = at + _MOST_NULS
    while at < end:
        try:
            at = os.lseek(fd, at, os.SEEK_DATA)
        except OSError:  # behind the last data; or the file system knows no holes, and then pread says the same
            return b""
        piece = os.pread(fd, _PIECE, at)
        text = piece.lstrip(b"\0")
        if text or not piece:
            return os.pread(fd, HEAD_BYTES, at + len(piece) - len(text))
        at += len(piece)
    return b""
