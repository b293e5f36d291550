"""Keeps counters from falling where only the reading fell: 32-bit wraps, two sources that round differently."""

from collections.abc import Hashable
from operator import add, lt

_WORD = 2**32


_Row = tuple[tuple[int, ...], tuple[int, ...] | None]


class Counters:
    """One memory of last readings, by key. Keys carry the domid: a restarted domain starts again at zero."""

    def __init__(self) -> None:
        self._last: dict[Hashable, tuple[float, float]] = {}
        self._now: dict[Hashable, tuple[float, float]] = {}
        self._rows: dict[Hashable, _Row] = {}
        self._rows_now: dict[Hashable, _Row] = {}

    def unwrapped(self, key: Hashable, row: tuple[int, ...]) -> tuple[int, ...]:
        """Readings of counters read together, with whole 32-bit turns added: a 32-bit dom0 counts modulo 4 GiB.

        A fall by more than half of 32 bits is a turn; any other fall is a counter that started again.
        """
        last, turns = self._rows.get(key, (row, None))
        if turns is None and not any(map(lt, row, last)):
            self._rows_now[key] = (row, None)
            return row
        turned = tuple(map(_turned, row, last, turns or (0,) * len(row)))
        self._rows_now[key] = (row, turned)
        return tuple(map(add, row, turned))

    def steady(self, key: Hashable, reading: float, slack: float) -> float:
        """A reading that does not fall by up to `slack`: the same value, rounded by another source."""
        last, _ = self._last.get(key, (reading, 0.0))
        value = last if last - slack <= reading < last else reading
        self._now[key] = (value, 0.0)
        return value

    def forget_unread(self) -> None:
        """Drop the keys that were not read in this reading; called at its end."""
        self._last, self._now = self._now, {}
        self._rows, self._rows_now = self._rows_now, {}


def _turned(reading: int, last: int, turns: int) -> int:
    if reading >= last:
        return turns
    return turns + _WORD if last < _WORD and last - reading > _WORD // 2 else 0
