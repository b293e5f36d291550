"""A file that others may neither read nor change: lines of logs are in it, or what is done to guests."""

import os
from pathlib import Path


def close_to_others(path: Path) -> None:
    """Make it where it is not there. Its group keeps what it may; who cannot open it is told so by what reads it."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError:
        return
    try:
        mode = os.fstat(descriptor).st_mode
        if mode & 0o007:
            os.fchmod(descriptor, mode & 0o770)
    finally:
        os.close(descriptor)
