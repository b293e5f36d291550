"""Processes by what they run: Xen's daemons and guests' device models, from /proc."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from xenwatch.host.files import names_in, read_bytes, read_line

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Process:
    """One process of dom0. `command` is its argv: no guest wrote it, but guests' names are in it."""

    pid: int
    command: tuple[str, ...]
    cpu_seconds: float
    resident_bytes: int
    threads: int
    started: float
    """Seconds after boot."""

    @property
    def program(self) -> str:
        """The program's file name; of an interpreter, the script's."""
        names = [word.rpartition("/")[2] for word in self.command[:2]]
        return names[1] if len(names) > 1 and names[0].startswith(("python", "perl")) else names[0]


def read_processes(proc: Path) -> Iterator[Process]:
    """All user processes. One that ends while it is read is passed over."""
    for name in names_in(proc):
        if name.isdigit() and (process := _read(proc, name)) is not None:
            yield process


def named(proc: Path, comm: bytes) -> Iterator[Process]:
    """Only those with the short name `comm`: one small file is read of each of the others."""
    for name in names_in(proc):
        if name.isdigit() and (read_line(f"{proc}/{name}/comm") or b"").strip() == comm:
            process = _read(proc, name)
            if process is not None:
                yield process


def _read(proc: Path, name: str) -> Process | None:
    line = read_bytes(f"{proc}/{name}/cmdline", 64 * 1024)
    stat = read_bytes(f"{proc}/{name}/stat") if line else None
    return _process(int(name), line, stat) if line and stat else None


def _process(pid: int, line: bytes, stat: bytes) -> Process | None:
    """Fields of /proc/<pid>/stat are counted from behind the name, which may hold anything (proc(5))."""
    fields = stat.rpartition(b")")[2].split()
    if len(fields) < 22 or fields[0] == b"Z":  # noqa: PLR2004
        return None
    return Process(
        pid=pid,
        command=tuple(line.rstrip(b"\0").decode("utf-8", "replace").split("\0")),
        cpu_seconds=(int(fields[11]) + int(fields[12])) / _TICKS,
        threads=int(fields[17]),
        started=int(fields[19]) / _TICKS,
        resident_bytes=int(fields[21]) * _PAGE,
    )


def open_files(proc: Path, pid: int) -> int | None:
    """How many descriptors a process has open; None where that may not be looked at."""
    try:
        return len(os.listdir(proc / str(pid) / "fd"))  # noqa: PTH208 - only counted
    except OSError:
        return None


def open_files_limit(proc: Path, pid: int) -> int | None:
    """How many it may have open; None where it is unlimited or unknown."""
    for line in (read_bytes(proc / str(pid) / "limits") or b"").splitlines():
        if line.startswith(b"Max open files"):
            soft = line.split()[3]
            return int(soft) if soft.isdigit() else None
    return None


def boot_time(proc: Path) -> float | None:
    """When the kernel booted, seconds since the epoch (`btime` of /proc/stat)."""
    for line in (read_bytes(proc / "stat") or b"").splitlines():
        if line.startswith(b"btime "):
            return float(line.split()[1])
    return None
