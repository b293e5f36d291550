"""Counts calls to a daemon: how long each took, what failed with which code, and what it will never answer."""

import threading
from bisect import bisect_left
from collections import Counter, defaultdict

BOUNDS = (0.001, 0.005, 0.025, 0.1, 0.5, 2.0, 10.0, 30.0)


class RpcStats:
    """Written by worker threads, read by the event loop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, list[int]] = defaultdict(lambda: [0] * (len(BOUNDS) + 1))
        self._seconds: dict[str, float] = defaultdict(float)
        self._errors: Counter[tuple[str, str]] = Counter()
        self._unsupported: set[str] = set()

    def took(self, call: str, seconds: float) -> None:
        with self._lock:
            self._counts[call][bisect_left(BOUNDS, seconds)] += 1
            self._seconds[call] += seconds

    def failed(self, call: str, code: str) -> None:
        with self._lock:
            self._errors[call, code] += 1

    def refused(self, call: str) -> None:
        """The other side says it will never answer this call."""
        with self._lock:
            self._unsupported.add(call)

    def is_unsupported(self, call: str) -> bool:
        return call in self._unsupported

    def forget_unsupported(self) -> None:
        """After a reconnect: another version may be on the other side."""
        with self._lock:
            self._unsupported.clear()

    @property
    def unsupported(self) -> frozenset[str]:
        with self._lock:
            return frozenset(self._unsupported)

    @property
    def errors(self) -> dict[tuple[str, str], int]:
        """How often each (call, code) failed."""
        with self._lock:
            return dict(self._errors)

    def histogram(self) -> dict[str, tuple[tuple[int, ...], float]]:
        """By call: counts up to and including each of BOUNDS and then all; and seconds altogether."""
        with self._lock:
            return {call: (_cumulated(counts), self._seconds[call]) for call, counts in self._counts.items()}


def _cumulated(counts: list[int]) -> tuple[int, ...]:
    total, out = 0, []
    for count in counts:
        total += count
        out.append(total)
    return tuple(out)
