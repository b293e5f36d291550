"""Serves a socket of this machine: whoever the kernel names asks one question in one short line, and is answered."""

import asyncio
import contextlib
import logging
import pwd
import socket
import struct
import sys
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from xenwatch.base.errors import NotJson, XenwatchError
from xenwatch.base.printed_text import one_line
from xenwatch.host.privileged.wire import LONGEST_QUESTION, REFUSED, decode, encode

log = logging.getLogger(__name__)

_CREDENTIALS = struct.Struct("3i")
ASK_SECONDS = 5.0
"""In which a question must have arrived: whoever writes it letter by letter is left."""
ANSWER_SECONDS = 10.0
MOST_ASKING = 16
"""Connections at one time; a further one is closed at once, and the asker tries again."""


_STAYS: dict[str, Any] = {"cleanup_socket": False} if sys.version_info >= (3, 13) else {}
"""The file is systemd's: asyncio of 3.13 would remove it, and nobody could ask again."""


@dataclass(frozen=True, slots=True)
class LocalPeer:
    """The process at the other end, as the kernel knew it when it connected."""

    pid: int
    uid: int

    @property
    def name(self) -> str:
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return f"uid {self.uid}"


Answerer = Callable[[LocalPeer, Mapping[str, Any]], Awaitable[Mapping[str, Any]]]
"""XenwatchError: its words are the refusal."""


class LocalServer:
    """`allowed`: the uids that may ask at all; root is always one of them."""

    def __init__(self, answer: Answerer, allowed: Collection[int], most: int = MOST_ASKING) -> None:
        self._answer, self._allowed, self._most = answer, {0, *allowed}, most
        self._busy: set[asyncio.Task[None]] = set()
        self._asked = asyncio.Event()

    @property
    def busy(self) -> bool:
        """Whether somebody is being answered."""
        return bool(self._busy)

    async def serve(self, listening: socket.socket, stop: asyncio.Event, idle: float | None = None) -> None:
        """Until `stop`, or until nobody has asked for `idle` seconds. What was begun by then is ended first."""
        server = await asyncio.start_unix_server(self._connected, sock=listening, limit=LONGEST_QUESTION, **_STAYS)
        async with server:
            await self._until(stop, idle)
        while self._busy:
            await asyncio.wait(self._busy)

    async def _until(self, stop: asyncio.Event, idle: float | None) -> None:
        while not stop.is_set():
            self._asked.clear()
            waits = [asyncio.create_task(stop.wait()), asyncio.create_task(self._asked.wait())]
            done, pending = await asyncio.wait(waits, timeout=idle, return_when=asyncio.FIRST_COMPLETED)
            for wait in pending:
                wait.cancel()
            if not done and not self._busy:
                return

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A task of its own for each: an asker that goes away does not interrupt what it asked for."""
        self._asked.set()
        if len(self._busy) >= self._most:
            writer.transport.abort()
            return
        task = asyncio.create_task(self._serve_one(reader, writer))
        self._busy.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._busy.discard(task)
        self._asked.set()
        if not task.cancelled() and task.exception() is not None:
            log.error("a connection ended with an error", exc_info=task.exception())

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = _peer(writer)
        try:
            answer = await self._answered(peer, reader)
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(ANSWER_SECONDS):
                    writer.write(encode(answer))
                    await writer.drain()
        finally:
            if writer.transport.get_write_buffer_size():
                writer.transport.abort()
            writer.close()

    async def _answered(self, peer: LocalPeer, reader: asyncio.StreamReader) -> Mapping[str, Any]:
        try:
            if peer.uid not in self._allowed:
                raise XenwatchError(f"{peer.name} may not ask")  # noqa: TRY301 - all refusals are told in one place
            return await self._answer(peer, await _question(reader))
        except XenwatchError as error:
            log.warning("refused, asked by %s (process %d): %s", peer.name, peer.pid, one_line(str(error)[:500]))
            return {REFUSED: str(error)[:2000]}


async def _question(reader: asyncio.StreamReader) -> dict[str, Any]:
    try:
        async with asyncio.timeout(ASK_SECONDS):
            return decode(await reader.readuntil(b"\n"))
    except TimeoutError:
        raise NotJson(f"no question within {ASK_SECONDS:g} s") from None
    except asyncio.LimitOverrunError:
        raise NotJson(f"a question is one line of at most {LONGEST_QUESTION} bytes") from None
    except (asyncio.IncompleteReadError, OSError):
        raise NotJson("the connection ended before the question did") from None


def _peer(writer: asyncio.StreamWriter) -> LocalPeer:
    sock = writer.get_extra_info("socket")
    pid, uid, _ = _CREDENTIALS.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    return LocalPeer(pid, uid)
