"""Tells one file from another that reuses its inode number, as xend's rotation does at once."""

import fcntl
import hashlib
import os
import struct
from typing import NamedTuple

HEAD_BYTES = 1024
MARKER_BYTES = 64

# _IOR('v', 1, long), linux/fs.h: the size of a long is part of the number, though the kernel writes an int.
_FS_IOC_GETVERSION = (2 << 30) | (struct.calcsize("l") << 16) | (ord("v") << 8) | 1
_COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd")


class FileIdentity(NamedTuple):
    """`generation` is None where the file system has none (tmpfs, NFS, FUSE): there content has to be compared."""

    device: int
    inode: int
    generation: int | None

    def __str__(self) -> str:
        generation = "" if self.generation is None else f"-{self.generation:x}"
        return f"{self.device:x}-{self.inode:x}{generation}"


class Fingerprint(NamedTuple):
    """Some bytes, remembered by their length and digest."""

    length: int
    digest: str

    @classmethod
    def of(cls, data: bytes) -> "Fingerprint":
        return cls(len(data), hashlib.blake2b(data, digest_size=12).hexdigest())


def identify(fd: int) -> FileIdentity:
    """The identity of the open file. Raises OSError."""
    status = os.fstat(fd)
    return FileIdentity(status.st_dev, status.st_ino, _generation(fd))


def _generation(fd: int) -> int | None:
    try:
        answer = fcntl.ioctl(fd, _FS_IOC_GETVERSION, bytes(8))
    except OSError:
        return None
    return int(struct.unpack_from("=I", answer)[0])


def is_compressed(head: bytes) -> bool:
    """The file is a compressed copy; what was not read of it before is read by `archive.py`."""
    return head.startswith(_COMPRESSED)
