"""Two stat calls that show at every wake whether a log was rotated since the last check."""

# ruff: noqa: PTH116  the path is checked at every wake, and a Path costs ten times a string
import os

_FileStatus = tuple[int, ...]
"""Device and inode; empty where there is no such file."""


class RotationCheck:
    """Compares the files at the log's path and at its newest rotated name with those at the last check."""

    def __init__(self, path: str) -> None:
        self._path, self._newest_rotated = path, f"{path}.1"
        self._shown: tuple[_FileStatus, _FileStatus] = ((), ())
        """The second with its size."""

    def has_changed(self) -> bool:
        """Whether the path shows another file than at the last check, or the newest rotated file changed or grew."""
        shown = (_status(self._path)[:2], _status(self._newest_rotated))
        changed = shown != self._shown
        self._shown = shown
        return changed

    def has_rotated(self) -> bool:
        """Whether a rotation happened since the last `has_changed`."""
        now = (_status(self._path)[:2], _status(self._newest_rotated)[:2])
        return (self._shown[0], self._shown[1][:2]) != now


def _status(path: str) -> _FileStatus:
    try:
        status = os.stat(path)
    except OSError:
        return ()
    return status.st_dev, status.st_ino, status.st_size
