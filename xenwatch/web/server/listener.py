"""Accepts a bounded number of connections: the slowest is ended when another comes, so a flood shuts nobody out."""

import asyncio
import ipaddress
import logging
import socket
import ssl
from collections import Counter
from functools import partial
from pathlib import Path

from aiohttp import web

from xenwatch.web.server import unix_socket
from xenwatch.web.server.connection import CONNECTIONS, ClientConnection, ConnectionLimits
from xenwatch.web.server.local_users import credentials_of

log = logging.getLogger(__name__)

_BACKLOG = 128
_RETRY = 0.2
"""Seconds until another try where the machine has no descriptor left."""


class _Client:
    """A client since it was accepted; `connection` is set after the TLS handshake, where there is one."""

    def __init__(self, source: str, now: float) -> None:
        self.source, self._since = source, now
        self.connection: ClientConnection | None = None
        self.task: asyncio.Task[None] | None = None

    @property
    def order(self) -> tuple[bool, float]:
        """The smallest is ended first: an idle one before one that is being answered, then the oldest."""
        return (False, self._since) if self.connection is None else (self.connection.busy, self.connection.since)

    def end(self) -> None:
        if self.connection is not None:
            self.connection.abort()
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
        self._path: Path | None = None
        self._accepting: list[asyncio.Task[None]] = []
        self._clients: set[_Client] = set()
        self.dropped: Counter[str] = Counter()

    @property
    def port(self) -> int:
        """The port, once it is open."""
        port: int = self._sockets[0].getsockname()[1]
        return port

    @property
    def connections(self) -> int:
        return len(self._clients)

    async def open(self, host: str, port: int) -> int:
        """Listen on every address of the host name; the port. OSError where one cannot be bound."""
        loop = asyncio.get_running_loop()
        addresses = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, *_, address in dict.fromkeys(addresses):
            port = self._listen(family, str(address[0]), port)
        self._start()
        return port

    def open_socket(self, sock: socket.socket, path: Path) -> None:
        """Accept from a socket that listens already at `path`; the file is deleted in the end."""
        self._sockets.append(sock)
        self._path = path
        self._start()

    async def close(self) -> None:
        """Accept nothing more, give running requests a moment, then end every connection."""
        for task in self._accepting:
            task.cancel()
        await asyncio.gather(*self._accepting, return_exceptions=True)
        for sock in self._sockets:
            if self._path is not None:
                unix_socket.remove(self._path, sock)
            sock.close()
        await self._runner.cleanup()
        tasks = [client.task for client in self._clients if client.task is not None]
        for client in list(self._clients):
            client.end()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self) -> None:
        loop = asyncio.get_running_loop()
        self._accepting = [loop.create_task(self._accept(sock), name="accept") for sock in self._sockets]

    def _listen(self, family: int, address: str, port: int) -> int:
        sock = socket.socket(family, socket.SOCK_STREAM)
        self._sockets.append(sock)
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((address, port))
        sock.listen(_BACKLOG)
        bound: int = sock.getsockname()[1]
        return bound

    async def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                sock, peer = await asyncio.get_running_loop().sock_accept(listening)
            except OSError as error:
                log.warning("cannot accept a connection: %s", error.strerror)
                self._make_room("no descriptor")
                await asyncio.sleep(_RETRY)
                continue
            if len(self._clients) >= self._limits.connections:
                self._make_room("crowded")
            self._admit(sock, _source(str(peer[0])) if sock.family != socket.AF_UNIX else _local_source(sock))

    def _admit(self, sock: socket.socket, source: str) -> None:
        loop = asyncio.get_running_loop()
        client = _Client(source, loop.time())
        self._clients.add(client)
        client.task = loop.create_task(self._handshake(client, sock))

    async def _handshake(self, client: _Client, sock: socket.socket) -> None:
        """Do the TLS handshake where there is one; then the connection's own deadlines apply."""
        inner = self._server()
        connection = ClientConnection(inner, self._limits, self._late, partial(self._lost, client, inner))
        deadline = self._limits.head if self._tls is not None else None
        try:
            self._runner.app[CONNECTIONS][inner] = connection
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: connection, sock, ssl=self._tls, ssl_handshake_timeout=deadline
            )
            client.connection = connection
        except OSError:
            self.dropped["handshake"] += 1
        finally:
            if client.connection is None:
                self._lost(client, inner)
                sock.close()

    def _make_room(self, reason: str) -> None:
        """End the oldest idle connection of the source that has the most connections."""
        if not self._clients:
            return
        by_source = Counter(client.source for client in self._clients)
        most = max(by_source.values())
        victim = min((v for v in self._clients if by_source[v.source] == most), key=lambda v: v.order)
        self._clients.discard(victim)  # it is being ended, and must not be chosen again
        self._late(reason)
        victim.end()

    def _late(self, reason: str) -> None:
        self.dropped[reason] += 1

    def _lost(self, client: _Client, inner: object) -> None:
        self._clients.discard(client)
        self._runner.app[CONNECTIONS].pop(inner, None)


def _local_source(sock: socket.socket) -> str:
    return f"uid {credentials_of(sock).uid}"


def _source(address: str) -> str:
    """Who a connection counts for: an address, or the network of 64 bits that one machine has of IPv6."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    return str(parsed) if parsed.version == 4 else str(ipaddress.ip_network((parsed, 64), strict=False))  # noqa: PLR2004 - IPv4
