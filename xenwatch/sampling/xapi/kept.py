"""Samples of objects that did not change since the last cycle, which is most of them."""

from collections.abc import Callable, Hashable, Iterable

from xenwatch.model.sample import Sample

Inputs = tuple[object, ...]


class KeptByRecord:
    """Like KeptRows, for what is made of xapi's records: an unchanged record is the very same value."""

    def __init__(self) -> None:
        self._last: dict[Hashable, tuple[Inputs, tuple[Sample, ...]]] = {}
        self._now: dict[Hashable, tuple[Inputs, tuple[Sample, ...]]] = {}

    def of(self, key: Hashable, inputs: Inputs, make: Callable[[], Iterable[Sample]]) -> tuple[Sample, ...]:
        """The last samples of the key if each of the inputs is the same one, or an equal text."""
        last = self._last.get(key)
        if last is None or not all(a is b or (type(a) is str and a == b) for a, b in zip(last[0], inputs, strict=True)):
            last = (inputs, tuple(make()))
        self._now[key] = last
        return last[1]

    def forget_unused(self) -> None:
        """Drop what was not used in this cycle; called at its end."""
        self._last, self._now = self._now, {}
