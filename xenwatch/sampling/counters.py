"""Keeps counters from going back where only their reading did: 32-bit wraps, and two sources that round differently."""

from collections.abc import Hashable

_WORD = 2**32


class Counters:
    """One memory of last readings, by key. Keys carry the domid: a reborn domain starts anew."""

    def __init__(self) -> None:
        self._last: dict[Hashable, tuple[float, float]] = {}
        self._now: dict[Hashable, tuple[float, float]] = {}

    def unwrapped(self, key: Hashable, reading: int) -> int:
        """A reading with whole 32-bit turns added: a 32-bit dom0 counts bytes of a vif modulo 4 GiB.

        A fall from the upper half of 32 bits to the lower is a turn; any other fall is a counter that began anew.
        """
        raw, turns = self._last.get(key, (float(reading), 0.0))
        if reading < raw:
            turns = turns + _WORD if raw < _WORD and raw - reading > _WORD // 2 else 0.0
        self._now[key] = (float(reading), turns)
        return reading + int(turns)

    def steady(self, key: Hashable, reading: float, slack: float) -> float:
        """A reading that does not fall by up to `slack`: the same truth, rounded by another source."""
        last, _ = self._last.get(key, (reading, 0.0))
        value = last if last - slack <= reading < last else reading
        self._now[key] = (value, 0.0)
        return value

    def forget_unread(self) -> None:
        """At the end of a reading: keys that were not read in it are gone."""
        self._last, self._now = self._now, {}
