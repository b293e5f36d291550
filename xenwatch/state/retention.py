"""Deletes old resolved incidents from the state database."""

import logging
from collections.abc import Callable

from xenwatch.base.clock import Clock
from xenwatch.base.errors import StoreError
from xenwatch.state.writer import Writer

log = logging.getLogger(__name__)

EVERY = 3600.0
"""Seconds between two deletions."""


async def delete_old(writer: Writer, clock: Clock, keep: float, forget: Callable[[list[str]], None]) -> None:
    """Every hour delete resolved incidents last seen over `keep` seconds ago; `forget` gets their ids."""
    while True:
        try:
            deleted = await writer.forget(clock.now() - keep)
        except StoreError as error:
            log.warning("old incidents could not be deleted and stay for now: %s", error)
        else:
            forget(deleted)
        await clock.sleep(EVERY)
