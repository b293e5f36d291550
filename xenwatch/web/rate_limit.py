"""How often somebody may come: a bucket of tokens for each, in bounded memory."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from math import ceil

_MOST = 4096


class RateLimiter:
    """`per_minute` in the long run, a whole minute's worth at once."""

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        self._most, self._per_second, self._clock = float(per_minute), per_minute / 60.0, clock
        self._left: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def wait(self, who: Hashable) -> int:
        """Whole seconds until this one may come again; 0: now."""
        missing = 1.0 - self._of(who)
        return ceil(missing / self._per_second) if missing > 0 else 0

    def take(self, who: Hashable) -> None:
        """This one came. Who came longest ago is forgotten first, which is no favour: the bucket has filled since."""
        self._left[who] = (max(0.0, self._of(who) - 1.0), self._clock())
        self._left.move_to_end(who)
        if len(self._left) > _MOST:
            self._left.popitem(last=False)

    def _of(self, who: Hashable) -> float:
        left, at = self._left.get(who, (self._most, self._clock()))
        return min(self._most, left + (self._clock() - at) * self._per_second)
