"""Listens, and lets in a bounded number: who dawdles longest goes when another comes, so a flood shuts nobody out."""

import asyncio
import ipaddress
import logging
import socket
import ssl
from collections import Counter
from functools import partial

from aiohttp import web

from xenwatch.web.connection import CONNECTIONS, ClientConnection, ConnectionLimits

log = logging.getLogger(__name__)

_BACKLOG = 128
_RETRY = 0.2
"""Seconds until another try where the machine has no descriptor left."""


class _Visit:
    """A connection from its acceptance on; it has a gate once TLS, where there is any, is agreed on."""

    def __init__(self, source: str, now: float) -> None:
        self.source, self._accepted = source, now
        self.gate: ClientConnection | None = None
        self.task: asyncio.Task[None] | None = None

    @property
    def order(self) -> tuple[bool, float]:
        """The smallest goes first: who waits before who is being answered, the longest of them."""
        return (False, self._accepted) if self.gate is None else (self.gate.busy, self.gate.since)

    def end(self) -> None:
        if self.gate is not None:
            self.gate.abort()
        elif self.task is not None:
            self.task.cancel()


class Listener:
    """The listening sockets of one application. `dropped` counts the connections it ended, by reason."""

    def __init__(self, runner: web.AppRunner, limits: ConnectionLimits, tls: ssl.SSLContext | None = None) -> None:
        """`runner`: set up already (RuntimeError otherwise); it is cleaned up when the listener closes."""
        if runner.server is None:
            raise RuntimeError("the web runner must be set up before its listener is made")
        self._runner, self._server, self._limits, self._tls = runner, runner.server, limits, tls
        self._sockets: list[socket.socket] = []
        self._accepting: list[asyncio.Task[None]] = []
        self._visits: set[_Visit] = set()
        self.dropped: Counter[str] = Counter()

    @property
    def port(self) -> int:
        """Where it listens, once it does."""
        found: int = self._sockets[0].getsockname()[1]
        return found

    @property
    def connections(self) -> int:
        return len(self._visits)

    async def open(self, host: str, port: int) -> int:
        """Listen on every address that the host has; the port. OSError where one cannot be had."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, *_, address in dict.fromkeys(found):
            port = self._listen(family, str(address[0]), port)
        self._accepting = [loop.create_task(self._accept(sock), name="accept") for sock in self._sockets]
        return port

    async def close(self) -> None:
        """Let nobody in any more, let what is underway end for a moment, then end all."""
        for task in self._accepting:
            task.cancel()
        await asyncio.gather(*self._accepting, return_exceptions=True)
        for sock in self._sockets:
            sock.close()
        await self._runner.cleanup()
        tasks = [visit.task for visit in self._visits if visit.task is not None]
        for visit in list(self._visits):
            visit.end()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _listen(self, family: int, address: str, port: int) -> int:
        sock = socket.socket(family, socket.SOCK_STREAM)
        self._sockets.append(sock)
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((address, port))
        sock.listen(_BACKLOG)
        got: int = sock.getsockname()[1]
        return got

    async def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                sock, peer = await asyncio.get_running_loop().sock_accept(listening)
            except OSError as error:
                log.warning("cannot accept a connection: %s", error.strerror)
                self._make_room("no descriptor")
                await asyncio.sleep(_RETRY)
                continue
            if len(self._visits) >= self._limits.connections:
                self._make_room("crowded")
            self._admit(sock, _source(str(peer[0])))

    def _admit(self, sock: socket.socket, source: str) -> None:
        loop = asyncio.get_running_loop()
        visit = _Visit(source, loop.time())
        self._visits.add(visit)
        visit.task = loop.create_task(self._greet(visit, sock))

    async def _greet(self, visit: _Visit, sock: socket.socket) -> None:
        """Agree on TLS where there is any; from then on the gate watches."""
        inner = self._server()
        gate = ClientConnection(inner, self._limits, self._late, partial(self._lost, visit, inner))
        deadline = self._limits.head if self._tls is not None else None
        try:
            self._runner.app[CONNECTIONS][inner] = gate
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: gate, sock, ssl=self._tls, ssl_handshake_timeout=deadline
            )
            visit.gate = gate
        except OSError:
            self.dropped["handshake"] += 1
        finally:
            if visit.gate is None:
                self._lost(visit, inner)
                sock.close()

    def _make_room(self, why: str) -> None:
        """End the connection that waits longest, of the source that has most of them."""
        if not self._visits:
            return
        crowd = Counter(visit.source for visit in self._visits)
        most = max(crowd.values())
        victim = min((v for v in self._visits if crowd[v.source] == most), key=lambda v: v.order)
        self._visits.discard(victim)  # it is on its way out, and must not be chosen again
        self._late(why)
        victim.end()

    def _late(self, why: str) -> None:
        self.dropped[why] += 1

    def _lost(self, visit: _Visit, inner: object) -> None:
        self._visits.discard(visit)
        self._runner.app[CONNECTIONS].pop(inner, None)


def _source(address: str) -> str:
    """Who a connection counts for: an address, or the network of 64 bits that one machine has of IPv6."""
    found = ipaddress.ip_address(address.partition("%")[0])
    return str(found) if found.version == 4 else str(ipaddress.ip_network((found, 64), strict=False))  # noqa: PLR2004 - IPv4
