"""Old resolved incidents leave the database after their time."""

import logging
from collections.abc import Callable

from xenwatch.base.clock import Clock
from xenwatch.base.errors import StoreError
from xenwatch.state.writer import Writer

log = logging.getLogger(__name__)

EVERY = 3600.0
"""Seconds between two tidyings."""


async def tidy(writer: Writer, clock: Clock, keep: float, forget: Callable[[list[str]], None]) -> None:
    """Once an hour delete what was resolved and last seen over `keep` seconds ago; `forget` hears the ids."""
    while True:
        try:
            gone = await writer.forget(clock.now() - keep)
        except StoreError as error:
            log.warning("old incidents stay for now: %s", error)
        else:
            forget(gone)
        await clock.sleep(EVERY)
