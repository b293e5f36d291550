"""How often each client may send: a token bucket for each, in bounded memory."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from math import ceil

_MOST = 4096


class RateLimiter:
    """`per_minute` on average, up to a minute's worth at once."""

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        self._most, self._per_second, self._clock = float(per_minute), per_minute / 60.0, clock
        self._left: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def wait(self, client: Hashable) -> int:
        """Whole seconds until this client may send again; 0: now."""
        missing = 1.0 - self._tokens(client)
        return ceil(missing / self._per_second) if missing > 0 else 0

    def take(self, client: Hashable) -> None:
        """This client sent. The one that sent longest ago is forgotten first: its bucket has filled since."""
        self._left[client] = (max(0.0, self._tokens(client) - 1.0), self._clock())
        self._left.move_to_end(client)
        if len(self._left) > _MOST:
            self._left.popitem(last=False)

    def _tokens(self, client: Hashable) -> float:
        left, at = self._left.get(client, (self._most, self._clock()))
        return min(self._most, left + (self._clock() - at) * self._per_second)
