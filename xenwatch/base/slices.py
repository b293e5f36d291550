"""Work in slices: a generator that pauses now and then, so that others get their turn, and returns what came of it."""

from collections.abc import Generator
from typing import TypeVar

Result = TypeVar("Result")


def at_once(slices: Generator[None, None, Result]) -> Result:
    """What comes of it, where nobody waits meanwhile."""
    while True:
        try:
            next(slices)
        except StopIteration as ended:
            result: Result = ended.value
            return result


async def by_turns(slices: Generator[None, None, Result]) -> Result:
    """The same on the event loop, which serves everybody else after each slice."""
    import asyncio  # noqa: PLC0415  reading logs offline needs no event loop, and starts faster without one

    while True:
        try:
            next(slices)
        except StopIteration as ended:
            result: Result = ended.value
            return result
        await asyncio.sleep(0)
