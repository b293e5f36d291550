"""Finds the logs that match the configured patterns, at the cost of a few stat calls."""

# ruff: noqa: PTH116, PTH118, PTH207  done at every wake, and a Path costs ten times a string
import glob
import os
from collections.abc import Callable, Sequence
from fnmatch import fnmatch

from xenwatch.logs.files.rotation import group


class LogPatterns:
    """Directories and the name patterns looked for in them: `/var/log/xen/*.log`, `/var/log/libvirt/*/*.log`.

    A rotated file stands for the log it belongs to.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = [os.path.split(pattern) for pattern in patterns]
        self._stamps: dict[str, tuple[int, int, int]] = {}
        self._settled: set[str] = set()
        self._logs: dict[str, frozenset[str]] = {}

    def roots(self) -> set[str]:
        """The folders in which a search begins, and those that it has led to."""
        fixed = {_without_magic(directory) for directory, _ in self._patterns}
        return fixed | self._logs.keys()

    def directories(self, hangs: Callable[[str], bool] = lambda _path: False) -> list[str]:
        """The directories that exist now; nothing is asked of those that hang."""
        existing: dict[str, None] = {}
        for directory, _ in self._patterns:
            if hangs(_without_magic(directory)):
                continue
            for path in glob.glob(directory) if glob.has_magic(directory) else (directory,):
                existing[path] = None
        return [path for path in existing if not hangs(path)]

    def logs(self, directories: Sequence[str], *, settle: bool = False) -> set[str]:
        """Paths of the logs in them. A directory is listed again only when its time stamp says so."""
        logs: set[str] = set()
        for directory in directories:
            if self._changed(directory, settle):
                self._logs[directory] = self._list(directory)
            logs |= self._logs.get(directory, frozenset())
        return logs

    def _changed(self, directory: str, settle: bool) -> bool:
        try:
            status = os.stat(directory)
        except OSError:
            self._stamps.pop(directory, None)
            self._logs.pop(directory, None)
            return False
        stamp = (status.st_dev, status.st_ino, status.st_mtime_ns)
        if self._stamps.get(directory) != stamp:
            self._stamps[directory] = stamp
            self._settled.discard(directory)
            return True
        if directory in self._settled:
            return False
        if settle:  # time stamps move in ticks of milliseconds: one more listing at a slow pace
            self._settled.add(directory)
        return True

    def _list(self, directory: str) -> frozenset[str]:
        try:
            with os.scandir(directory) as entries:
                logs = group(entry.name for entry in entries if entry.is_file())
        except OSError:
            self._stamps.pop(directory, None)  # not readable now: try again at the next listing
            return frozenset()
        return frozenset(
            os.path.join(directory, log)
            for log, files in logs.items()
            if any(self._wanted(directory, name) for name in (log, *files))
        )

    def _wanted(self, directory: str, name: str) -> bool:
        return any(
            fnmatch(name, pattern) and fnmatch(directory, folder) and (pattern[0] == "." or name[0] != ".")
            for folder, pattern in self._patterns
        )


def _without_magic(directory: str) -> str:
    """`/var/log/libvirt` of `/var/log/libvirt/*`."""
    while glob.has_magic(directory):
        directory = os.path.dirname(directory)  # noqa: PTH120
    return directory
