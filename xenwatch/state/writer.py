"""The one thread that writes the state database, so that the event loop never waits for a disk."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from xenwatch.base.clock import Clock
from xenwatch.base.errors import StoreError
from xenwatch.model.incident import Incident
from xenwatch.state.store import Damaged, Store

log = logging.getLogger(__name__)

LONGEST_PAUSE = 30.0
"""Seconds between two attempts while the disk is full."""


@dataclass(frozen=True, slots=True)
class CaptureState:
    """The state at one moment of the event loop; `incidents`: all of them, by id."""

    cursors: Mapping[str, Any] = field(default_factory=dict)
    correlation: Mapping[str, Any] = field(default_factory=dict)
    incidents: Mapping[str, Incident] = field(default_factory=dict)


class Writer:
    """Commits changes, at most once in `every` seconds; what could not be written is kept and tried again."""

    def __init__(
        self,
        store: Store,
        capture: Callable[[], CaptureState],
        clock: Clock,
        *,
        every: float = 1.0,
        on_error: Callable[[StoreError], None] = lambda _error: None,
    ) -> None:
        self._store, self._capture, self._clock, self._every, self._on_error = store, capture, clock, every, on_error
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="state-writer")
        self._dirty: set[str] = set()
        self._changed = asyncio.Event()
        self.last_commit: float | None = None
        """Monotonic seconds of the last commit that succeeded."""
        self.commits = 0
        self.failing = False
        """True from a commit that failed until one that succeeds."""

    @property
    def waiting(self) -> int:
        """Incidents with a change that is not on disk yet."""
        return len(self._dirty)

    def changed(self, incidents: Iterable[Incident]) -> None:
        """These incidents changed; they are written with the next commit."""
        self._dirty.update(incident.id for incident in incidents)
        self._changed.set()

    def state_moved(self) -> None:
        """Logs were read or samples diagnosed: cursors and correlation state have moved."""
        self._changed.set()

    async def run(self) -> None:
        """Commit whenever something changed, until cancelled."""
        pause = self._every
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await self.flush()
                pause = self._every
            except StoreError:
                self._changed.set()
                pause = min(max(pause * 2, 1.0), LONGEST_PAUSE)
            await self._clock.sleep(pause)

    async def flush(self) -> None:
        """Commit now. On StoreError nothing is lost: all of it still waits."""
        try:
            await self._commit()
        except Damaged as error:
            self._on_error(error)
            self._dirty.update(self._capture().incidents)
            await self._commit()
        except StoreError as error:
            self.failing = True
            self._on_error(error)
            log.error("%s; %d changed incidents wait in memory, and monitoring goes on", error, self.waiting)  # noqa: TRY400 - a full disk is no traceback
            raise

    async def forget(self, resolved_before: float) -> list[str]:
        """Delete old resolved incidents; their ids."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._store.forget, resolved_before)

    async def close(self, *, deadline: float = 10.0) -> None:
        """Commit once more, then close the database."""
        try:
            await asyncio.wait_for(self.flush(), deadline)
        except (StoreError, TimeoutError) as error:
            log.error("the last state could not be written: %s", str(error) or "the disk did not answer in time")  # noqa: TRY400 - as above
        self._thread.shutdown(wait=False)
        self._store.close()

    async def _commit(self) -> None:
        # Captured together, without an await between: cursors, correlation and incidents agree.
        captured, dirty = self._capture(), tuple(self._dirty)
        incidents = [captured.incidents[id_] for id_ in dirty if id_ in captured.incidents]
        self._dirty.clear()
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(
                self._thread, self._store.commit, captured.cursors, captured.correlation, incidents
            )
        except BaseException:
            self._dirty.update(dirty)
            raise
        self.last_commit = self._clock.monotonic()
        self.commits += 1
        self.failing = False
