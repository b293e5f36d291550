"""Whether each part of the agent makes progress: health means work done lately, not a process that exists."""

from collections.abc import Sequence
from dataclasses import dataclass

from xenwatch.base.clock import Clock
from xenwatch.base.durations import format_duration
from xenwatch.web.context import PartHealth


@dataclass(slots=True)
class _PartState:
    since: float
    """Monotonic time of the last progress, or of the start."""
    done: bool = False


class Liveness:
    """Parts report with `note`; one that is silent for longer than `stall_after` seconds is not healthy."""

    def __init__(self, clock: Clock, stall_after: float, parts: Sequence[str]) -> None:
        self._clock, self._stall_after = clock, stall_after
        self._parts = {name: _PartState(clock.monotonic()) for name in parts}

    def note(self, part: str) -> None:
        """This part has just done some work."""
        self._parts[part] = _PartState(self._clock.monotonic(), done=True)

    def has_started(self, part: str) -> bool:
        """Whether this part has done any work yet."""
        return self._parts[part].done

    def checks(self) -> list[PartHealth]:
        """The health of each part."""
        return [self._check(name, part) for name, part in self._parts.items()]

    @property
    def healthy(self) -> bool:
        return all(check.ok for check in self.checks())

    def _check(self, name: str, part: _PartState) -> PartHealth:
        age = self._clock.monotonic() - part.since
        ok = age <= self._stall_after
        words = "" if ok else f"no progress for {format_duration(age)}"
        return PartHealth(name, ok, age if part.done else None, words)
