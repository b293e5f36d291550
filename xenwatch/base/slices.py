"""Work in slices: a generator that pauses now and then, so that others get their turn, and returns what came of it."""

from collections.abc import Generator, Iterator
from typing import Generic, TypeVar

Result = TypeVar("Result")


class _Slices(Generic[Result]):
    """To be iterated to the end; then `result` is what came of it."""

    result: Result

    def __init__(self, slices: Generator[None, None, Result]) -> None:
        self._slices = slices

    def __iter__(self) -> Iterator[None]:
        self.result = yield from self._slices


def at_once(slices: Generator[None, None, Result]) -> Result:
    """What comes of it, where nobody waits meanwhile."""
    work = _Slices(slices)
    for _ in work:
        pass
    return work.result


async def by_turns(slices: Generator[None, None, Result]) -> Result:
    """The same on the event loop, which serves everybody else after each slice."""
    import asyncio  # noqa: PLC0415  reading logs offline needs no event loop, and starts faster without one

    work = _Slices(slices)
    for _ in work:
        await asyncio.sleep(0)
    return work.result
