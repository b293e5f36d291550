"""Files that others may neither read nor change, and folders of a user with less rights than we have."""

import contextlib
import ctypes
import os
import stat
from collections.abc import Iterator
from pathlib import Path


def close_to_others(path: Path) -> None:
    """Make it where it is not there. Its group keeps what it may; who cannot open it is told so by what reads it.

    A link is left alone: whoever put it there would choose which file we change.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o640)
    except OSError:
        return
    try:
        status = os.fstat(descriptor)
        if status.st_mode & 0o007 and stat.S_ISREG(status.st_mode) and status.st_nlink == 1:
            os.fchmod(descriptor, status.st_mode & 0o770)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def rights_of_owner(folder: Path) -> Iterator[None]:
    """Where we are root and the folder is another user's, this thread opens files with no more rights than that user.

    Else a link that the user puts there would let us open, make or change any file of this machine.
    """
    try:
        owner = folder.stat()
    except FileNotFoundError:
        owner = None
    if owner is None or os.geteuid() != 0 or owner.st_uid == 0:
        yield
        return
    libc = ctypes.CDLL(None)
    group, user = libc.setfsgid(owner.st_gid), libc.setfsuid(owner.st_uid)
    try:
        yield
    finally:
        libc.setfsuid(user)
        libc.setfsgid(group)
