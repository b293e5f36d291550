"""Options for following logs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class FollowOptions:
    """Every option has a default that suits a Xen host."""

    start: Literal["begin", "end"] = "begin"
    """What to do with logs that are there at the very first start, when nothing is stored yet."""
    history_bytes: int = 64 << 20
    """At most so much of one log (its rotated files included) is read at the very first start."""
    reconcile_seconds: float = 1.0
    """How often every log is checked without an event: NFS and lost events need it."""
    partial_seconds: float = 5.0
    """A line without its newline is read after so much silence; what comes later is read as it comes."""
    keep_open_seconds: float = 60.0
    """A renamed or deleted file is read on until nobody wrote to it for so long."""
    most_open: int = 4096
    """Of more open files those that were quiet longest are closed until they change."""
    overwritten: tuple[str, ...] = ("xend-debug.log", "virt-manager.log")
    """Name patterns of logs that their writers overwrite without rotating."""
    spool_directory: Path | None = None
    """Where the previous content of those is kept; None: it is not kept."""


@dataclass(frozen=True, slots=True)
class CommandLogOptions:
    """Which logs that are not files are read."""

    from_start: bool = True
    """Whether lines from before the very first start are read."""
    hypervisor_every: float = 15.0
    """Seconds between two readings of the hypervisor's ring; 0: never."""
    journal: bool = True
    """Whether systemd's journal is followed where no daemon writes a syslog file."""
