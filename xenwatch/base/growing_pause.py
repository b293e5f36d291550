"""How long to leave somebody alone who did not answer: longer after each failure, up to a limit."""

from xenwatch.base.clock import Clock


class GrowingPause:
    """Doubles with each failure in a row; one success begins it again. Seconds of the monotonic clock."""

    def __init__(self, clock: Clock, first: float, longest: float) -> None:
        self._clock, self._first, self._longest = clock, first, longest
        self._next, self._until = first, 0.0

    @property
    def lasts(self) -> bool:
        """Whether it is too early to ask again."""
        return self._clock.monotonic() < self._until

    def failed(self) -> None:
        """Begin a pause."""
        self._until = self._clock.monotonic() + self._next
        self._next = min(2 * self._next, self._longest)

    def succeeded(self) -> None:
        """The next pause is a first one again."""
        self._next = self._first
