"""The connection to libvirt: calls run in worker threads with a deadline; it reconnects by itself."""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from xenwatch.base.clock import Clock
from xenwatch.base.errors import HostError, TimedOut, Unavailable
from xenwatch.host.libvirt.binding import libvirt
from xenwatch.host.libvirt.connection import Connection, LifecycleEvent, Session, guarded
from xenwatch.host.libvirt.event_loop import start_event_loop
from xenwatch.host.libvirt.rpc_stats import RpcStats
from xenwatch.host.libvirt.worker_pool import WorkerPool

T = TypeVar("T")

OPEN_DEADLINE = 15.0
_LONGEST_PAUSE = 60.0
_OPENS_AT_ONCE = 2


class Libvirt:
    """One connection to `uri` (`xen:///system`, `xen+ssh://root@host/`, `test:///file.xml`), opened when needed."""

    def __init__(
        self, uri: str, clock: Clock, *, on_lifecycle: Callable[[LifecycleEvent], None] | None = None, threads: int = 4
    ) -> None:
        self.uri = uri
        self.stats = RpcStats()
        self.reconnects = 0
        """Connections opened after the first."""
        self._clock, self._on_lifecycle = clock, on_lifecycle
        self._workers = WorkerPool("libvirt", threads)
        self._opening = asyncio.Lock()
        self._opens: deque[int] = deque()
        self._arrived: deque[Connection] = deque()
        self._connection: Connection | None = None
        self._opened_before = False
        self._pause, self._retry_at, self._last_error = 1.0, 0.0, ""

    @property
    def up(self) -> bool:
        """Whether the connection stands and is not hung in all its threads."""
        return self._connection is not None and self._connection.alive and not self._workers.stuck

    @property
    def stuck_calls(self) -> int:
        return self._workers.stuck

    async def run(self, what: str, work: Callable[[Session], T], deadline: float) -> T:
        """`work(session)` in a thread. It must return plain data: libvirt's objects may only die in that thread.

        Unavailable: no connection. TimedOut: no answer in time; the thread is left behind.
        """
        give_up = self._clock.monotonic() + deadline
        connection = await self._connected(deadline)
        await self._take_turn(connection, what, give_up)
        try:
            left = max(0.05, give_up - self._clock.monotonic())
            return await self._workers.run(
                f"libvirt {what}",
                lambda: guarded(connection, what, work, self.stats),
                left,
                connection.turn.release,
            )
        except (TimedOut, asyncio.CancelledError):
            self.stats.failed(what, "timeout")
            self._abandon(connection, f"{what} hangs")
            raise
        except HostError:
            if not connection.alive:
                await self._drop(connection, f"{what}: connection lost")
            raise

    async def close(self) -> None:
        """Close the connection, as far as it lets itself be closed."""
        if self._connection is not None:
            await self._drop(self._connection, "closed")
        self._workers.close()

    async def _connected(self, deadline: float) -> Connection:
        async with self._opening:
            while self._arrived:
                await self._adopt(self._arrived.popleft())
            if self._connection is not None and not self._connection.alive:
                await self._drop(self._connection, "connection lost")
            if self._connection is None:
                await self._open(deadline)
            if self._connection is None:
                raise Unavailable(f"libvirt {self.uri}: {self._last_error}")
            return self._connection

    async def _take_turn(self, connection: Connection, what: str, give_up: float) -> None:
        """One call at a time: libvirt before 10.3 may crash us when a connection with several dies (CVE-2024-4418)."""
        try:
            async with asyncio.timeout(max(0.05, give_up - self._clock.monotonic())):
                await connection.turn.acquire()
        except TimeoutError:
            raise TimedOut(f"libvirt {what}: not asked, because earlier calls are still running") from None
        if not connection.alive:
            connection.turn.release()
            raise Unavailable(f"libvirt {what}: connection lost while waiting")

    def _abandon(self, connection: Connection, why: str) -> None:
        """A call hangs in it: others get a new connection, and this one is freed by the call when it comes back."""
        if connection is self._connection:
            self._connection, self._last_error = None, why
        threading.Thread(target=connection.close, name="libvirt-close", daemon=True).start()  # closing may hang too

    async def _open(self, deadline: float) -> None:
        wait = self._retry_at - self._clock.monotonic()
        if wait > 0 or len(self._opens) >= _OPENS_AT_ONCE:
            raise Unavailable(f"libvirt {self.uri}: {self._last_error}; next attempt in {max(wait, 1):.0f} s")
        try:
            await self._workers.run(f"libvirt open {self.uri}", self._open_in_thread, min(deadline, OPEN_DEADLINE))
        except HostError as error:
            self._last_error = str(error)
            self._retry_at = self._clock.monotonic() + self._pause
            self._pause = min(self._pause * 2, _LONGEST_PAUSE)
            raise Unavailable(f"libvirt {self.uri}: {error}") from error
        if self._arrived:
            await self._adopt(self._arrived.popleft())

    def _open_in_thread(self) -> None:
        """What arrives after its deadline is kept for the next caller, once a daemon that was stopped goes on."""
        self._opens.append(1)
        try:
            start_event_loop()
            self._arrived.append(Connection(self.uri, self._clock, self._tell))
        except libvirt.libvirtError as error:
            self.stats.failed("open", str(error.get_error_code()))
            raise Unavailable(str(error)) from None
        finally:
            self._opens.pop()

    async def _adopt(self, connection: Connection) -> None:
        if self._connection is not None:
            await self._drop(connection, "one too many")
            return
        self._connection = connection
        self.reconnects += self._opened_before
        self._opened_before = True
        self._pause, self._last_error = 1.0, ""
        self.stats.forget_unsupported()
        connection.listen(asyncio.get_running_loop())

    async def _drop(self, connection: Connection, why: str) -> None:
        if connection is self._connection:
            self._connection = None
            self._last_error = why
        with contextlib.suppress(HostError):  # a hung close costs a thread until the daemon answers, nothing more
            await self._workers.run("libvirt close", connection.close, 2.0)

    def _tell(self, event: LifecycleEvent) -> None:
        if self._on_lifecycle is not None:
            self._on_lifecycle(event)
