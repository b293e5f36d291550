"""The run store for the event loop: all access on one thread, so that the loop never waits for the disk."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from xenwatch.remediation.store.run_store import RunStore
from xenwatch.remediation.store.transaction import Transaction, View

T = TypeVar("T")


class AsyncRunStore:
    """Hands work to the run store's one thread."""

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="run-store")

    @property
    def slowest_commit(self) -> float:
        """Seconds of the slowest commit since the start."""
        return self._store.slowest_commit

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Do `work` in one committed transaction; StoreError where the database refuses."""
        return await self._on_thread(lambda: self._in_transaction(work))

    async def read(self, work: Callable[[View], T]) -> T:
        """Do `work` on what is stored now; StoreError where the database refuses."""
        return await self._on_thread(lambda: self._store.read(work))

    def close(self) -> None:
        self._thread.shutdown(wait=True)
        self._store.close()

    async def _on_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _in_transaction(self, work: Callable[[Transaction], T]) -> T:
        with self._store.transaction() as transaction:
            return work(transaction)
