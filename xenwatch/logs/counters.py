"""What the follower counts about itself; the agent turns it into metrics."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class SourceCounters:
    """One log since the agent started."""

    lines: int = 0
    bytes: int = 0
    rotations: int = 0
    truncations: int = 0
    """Times the content was found replaced: truncated, copied and truncated, or overwritten from its start."""
    truncations_without_copy: int = 0
    """Of these, times no copy of the old content was found: what was written since the last read is gone."""
    cut_lines: int = 0
    """Pieces read without their newline: a line too long, one cut by rotation, or one that stays unfinished."""
    read_errors: int = 0
    lag_bytes: int = 0
    """Bytes in the files that were not read yet, as of the last check."""
    last_read: float | None = None
    """Wall clock when bytes were last read."""


@dataclass(slots=True)
class FollowCounters:
    """All logs together, and what belongs to no single one."""

    sources: dict[str, SourceCounters] = field(default_factory=dict)
    """By path."""
    wakes: int = 0
    overflows: int = 0
    """Times the kernel's event queue overflowed and every log was checked again."""
    watch_errors: int = 0
    """Directories that could not be watched and are polled instead."""
    bad_cursors: int = 0
    """Stored positions that could not be understood and were ignored."""

    open_files: int = 0
    """Files of logs that are held open."""
    most_open_files: int = 0
    rests: int = 0
    """Times a log's files were closed because too many were open."""

    def of(self, path: str) -> SourceCounters:
        """The counters of one log, made when first asked for."""
        return self.sources.setdefault(path, SourceCounters())
