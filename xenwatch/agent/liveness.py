"""Whether each part of the agent is getting on: health means work done lately, not a process that exists."""

from collections.abc import Sequence
from dataclasses import dataclass

from xenwatch.base.clock import Clock
from xenwatch.base.durations import format_duration
from xenwatch.web.context import PartHealth


@dataclass(slots=True)
class _Part:
    since: float
    """Monotonic time of the last progress, or of the start."""
    done: bool = False


class Liveness:
    """Parts report in with `made`; one that is silent for longer than `stall_after` seconds is not healthy."""

    def __init__(self, clock: Clock, stall_after: float, parts: Sequence[str]) -> None:
        self._clock, self._stall_after = clock, stall_after
        self._parts = {name: _Part(clock.monotonic()) for name in parts}

    def made(self, part: str) -> None:
        """This part has just done a piece of its work."""
        self._parts[part] = _Part(self._clock.monotonic(), done=True)

    def has(self, part: str) -> bool:
        """Whether this part has ever done a piece of its work."""
        return self._parts[part].done

    def checks(self) -> list[PartHealth]:
        """How each part fares."""
        return [self._check(name, part) for name, part in self._parts.items()]

    @property
    def healthy(self) -> bool:
        return all(check.ok for check in self.checks())

    def _check(self, name: str, part: _Part) -> PartHealth:
        age = self._clock.monotonic() - part.since
        ok = age <= self._stall_after
        words = "" if ok else f"nothing done for {format_duration(age)}"
        return PartHealth(name, ok, age if part.done else None, words)
