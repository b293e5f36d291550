"""A few daemon threads for calls that may hang: one that does is left behind and counted, and the caller goes on."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, TypeVar

from xenwatch.base.errors import TimedOut, Unavailable

T = TypeVar("T")


class WorkerPool:
    """At most `limit` threads. All of them stuck means Unavailable at once: nothing piles up behind a hung daemon."""

    def __init__(self, name: str, limit: int = 4) -> None:
        self.stuck = 0
        """Calls that outlived their deadline and have not come back yet."""
        self._name, self._limit = name, limit
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._threads = 0
        self._unfinished = 0

    async def run(
        self, what: str, work: Callable[[], T], deadline: float, on_end: Callable[[], None] = lambda: None
    ) -> T:
        """The result of `work` in a thread. TimedOut after `deadline` seconds, waiting for a free thread included.

        `on_end` is called once, in the event loop, when the work has really ended, which may be long after TimedOut.
        """
        if self.stuck >= self._limit:
            on_end()
            raise Unavailable(f"{what}: all {self._limit} {self._name} threads hang in earlier calls")
        job = _Job(work, asyncio.get_running_loop().create_future(), self._finished, on_end)
        self._submit(job)
        try:
            async with asyncio.timeout(deadline):
                result: T = await job.outcome
        except TimeoutError:
            raise TimedOut(f"{what}: no answer within {deadline:g} s") from None
        finally:
            if not job.finished:
                job.stuck = True
                self.stuck += 1
        return result

    def close(self) -> None:
        """Let idle threads end; a hung one ends when its call does, or with the process."""
        for _ in range(self._threads):
            self._jobs.put(None)
        self._threads = 0

    def _submit(self, job: "_Job") -> None:
        self._unfinished += 1
        if self._threads < min(self._unfinished, self._limit):
            self._threads += 1
            threading.Thread(
                target=_serve, args=(self._jobs,), name=f"{self._name}-{self._threads}", daemon=True
            ).start()
        self._jobs.put(job)

    def _finished(self, job: "_Job") -> None:
        self._unfinished -= 1
        job.finished = True
        job.on_end()
        if job.stuck:
            self.stuck -= 1


@dataclass(slots=True)
class _Job:
    work: Callable[[], Any]
    outcome: "asyncio.Future[Any]"
    on_finished: "Callable[[_Job], None]"
    on_end: Callable[[], None]
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    finished: bool = False
    stuck: bool = False

    def run(self) -> None:
        """In the worker's thread. A caller that gave up while the job was queued wants nothing done."""
        result, failure = None, None
        if not self.stuck:
            try:
                result = self.work()
            except Exception as error:  # noqa: BLE001 - handed to the caller, whatever it is
                failure = error.with_traceback(None)  # its frames hold what must die in this thread
                failure.__context__ = None
        with contextlib.suppress(RuntimeError):  # the event loop is closed: nobody is left to tell
            self.loop.call_soon_threadsafe(self._settle, result, failure)

    def _settle(self, result: Any, failure: Exception | None) -> None:
        self.on_finished(self)
        if self.outcome.done():
            return
        if failure is None:
            self.outcome.set_result(result)
        else:
            self.outcome.set_exception(failure)


def _serve(jobs: "SimpleQueue[_Job | None]") -> None:
    while (job := jobs.get()) is not None:
        job.run()
        del job  # or its result would live until the next one comes
