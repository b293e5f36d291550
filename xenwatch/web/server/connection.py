"""One connection between its socket and aiohttp, with deadlines: a slow client holds nothing for long."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """How much a listener allows; times in seconds."""

    connections: int = 256
    head: float = 10.0
    """For TLS's handshake, and then until the headers of the first request are complete."""
    idle: float = 75.0
    """From an answer until the headers of the next request are complete."""
    request: float = 60.0
    """From a request's headers to its answer, and until the client has read what waits for it."""


class ClientConnection(asyncio.Protocol):
    """Hands everything on to `inner`. `on_late` hears why a connection was ended, `on_lost` that it is gone."""

    def __init__(
        self,
        inner: asyncio.Protocol,
        limits: ConnectionLimits,
        on_late: Callable[[str], None],
        on_lost: Callable[[], None],
    ) -> None:
        self._inner, self._limits, self._on_late, self._on_lost = inner, limits, on_late, on_lost
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self.busy = False
        """Whether a request is being answered."""
        self.since = 0.0
        """Since when, on the loop's clock."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError(f"a client connection needs a transport to read and write, not {type(transport).__name__}")
        self._transport = transport
        self._set_busy(False, self._limits.head, "head")
        self._inner.connection_made(transport)

    def request_started(self) -> None:
        """The headers of a request are complete."""
        self._set_busy(True, self._limits.request, "request")

    def request_answered(self) -> None:
        """Its answer is made; what waits to be written shows whether the client reads it."""
        self._set_busy(False, self._limits.idle, "idle")

    def data_received(self, data: bytes) -> None:
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        self._unread = self._unread or self._after(self._limits.request, "unread")
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
        self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._timer, self._unread):
            if timer is not None:
                timer.cancel()
        self._inner.connection_lost(exc)
        self._on_lost()

    def abort(self) -> None:
        """End it at once and drop what waits to be written."""
        if self._transport is not None:
            self._transport.abort()

    def _set_busy(self, busy: bool, seconds: float, reason: str) -> None:
        self.busy, self.since = busy, asyncio.get_running_loop().time()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._after(seconds, reason)

    def _after(self, seconds: float, reason: str) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(seconds, self._late, reason)

    def _late(self, reason: str) -> None:
        self._on_late(reason if self._unread is None else "unread")
        self.abort()


CONNECTIONS = web.AppKey("connections", dict[object, ClientConnection])
"""Where an application keeps its open connections, by aiohttp's protocol."""
