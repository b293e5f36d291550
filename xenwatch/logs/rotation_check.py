"""Two stats that tell at every wake whether a log was rotated since the last look."""

# ruff: noqa: PTH116  the path is looked at at every wake, and a Path costs ten times a string
import os

_Who = tuple[int, ...]
"""Device and inode; empty where there is no such file."""


class Glance:
    """What the log's path shows, and what was rotated last."""

    def __init__(self, path: str) -> None:
        self._path, self._newest_rotated = path, f"{path}.1"
        self._shown: tuple[_Who, _Who] = ((), ())
        """The second with its size."""

    def moved(self) -> bool:
        """The path shows another file than when last asked, or what was rotated last is another or has grown."""
        shown = (_who_and_size(self._path)[:2], _who_and_size(self._newest_rotated))
        moved = shown != self._shown
        self._shown = shown
        return moved

    def rotated(self) -> bool:
        """A rotation slipped in since `moved` was last asked."""
        now = (_who_and_size(self._path)[:2], _who_and_size(self._newest_rotated)[:2])
        return (self._shown[0], self._shown[1][:2]) != now


def _who_and_size(path: str) -> _Who:
    try:
        status = os.stat(path)
    except OSError:
        return ()
    return status.st_dev, status.st_ino, status.st_size
