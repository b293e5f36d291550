"""The journal for the event loop: all writing on one thread, nothing waits on the disk in the loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from xenwatch.remediation.store.runs import RunStore
from xenwatch.remediation.store.transaction import Transaction

T = TypeVar("T")


class AsyncRunStore:
    """Hands work to the journal's one thread."""

    def __init__(self, journal: RunStore) -> None:
        self.journal = journal
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="remediation-journal")

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Do `work` in one committed transaction; StoreError where it cannot be."""
        return await self._there(lambda: self._transacted(work))

    async def read(self, work: Callable[[RunStore], T]) -> T:
        return await self._there(lambda: work(self.journal))

    def close(self) -> None:
        self._thread.shutdown(wait=True)
        self.journal.close()

    async def _there(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _transacted(self, work: Callable[[Transaction], T]) -> T:
        with self.journal.transaction() as tx:
            return work(tx)
