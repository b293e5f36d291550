"""Reads xenstore over its own wire protocol: many reads on the way at once, a deadline on each answer."""

import asyncio
import contextlib
import os
import select
import socket
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from xenwatch.base.errors import HostError, InputError, TimedOut, Unavailable
from xenwatch.host.paths import Paths
from xenwatch.host.privileged.reading import ask_xenstore, reader_socket

_HEADER = struct.Struct("<IIII")  # type, request id, transaction, length: xen/include/public/io/xs_wire.h
_DIRECTORY, _READ, _ERROR = 1, 2, 16
_LONGEST = 4096
_AT_ONCE = 64


class Xenstore:
    """Async reads of xenstore. One connection, opened when first needed, closed on any error and opened again."""

    def __init__(self, paths: Paths) -> None:
        self._wire = _Wire(paths)
        self.up = False

    async def read(self, path: str, deadline: float = 3.0) -> str | None:
        """The value at `path`; None where there is no such node."""
        return (await self.read_many([path], deadline))[0]

    async def read_many(self, paths: Sequence[str], deadline: float = 3.0) -> list[str | None]:
        """Values at many paths, in their order, for the cost of a few round trips."""
        answers = await self._ask(_READ, paths, deadline)
        return [None if answer is None else answer.decode("utf-8", "replace") for answer in answers]

    async def children(self, path: str, deadline: float = 3.0) -> list[str]:
        """Names of the nodes below `path`; empty where there is no such node."""
        return (await self.children_many([path], deadline))[0]

    async def children_many(self, paths: Sequence[str], deadline: float = 3.0) -> list[list[str]]:
        answers = await self._ask(_DIRECTORY, paths, deadline)
        return [[name for name in (answer or b"").decode("utf-8", "replace").split("\0") if name] for answer in answers]

    async def close(self) -> None:
        self._wire.close()

    async def ask(self, kind: int, paths: Sequence[str], deadline: float) -> list[bytes | None]:
        """Answers to requests of a kind of the protocol that only reads; None where there is no such node."""
        if kind not in (_DIRECTORY, _READ):
            raise InputError(f"{kind} is no request that only reads")
        return await self._ask(kind, paths, deadline)

    async def _ask(self, kind: int, paths: Sequence[str], deadline: float) -> list[bytes | None]:
        if not paths:
            return []
        reader = reader_socket()
        try:
            if reader is not None:
                answers = await ask_xenstore(reader, kind, paths, deadline)
            else:
                answers = await asyncio.to_thread(self._wire.ask, kind, paths, deadline)
        except HostError:
            self.up = False
            raise
        self.up = True
        return answers


class _Wire:
    """The blocking side, used in threads, by one at a time. Every wait is a poll with what is left of the deadline."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._lock = threading.Lock()
        self._file: int | None = None
        self._at_once = _AT_ONCE
        self._pending = b""
        self._next_id = 1

    def ask(self, kind: int, paths: Sequence[str], deadline: float) -> list[bytes | None]:
        until = time.monotonic() + deadline
        if not self._lock.acquire(timeout=deadline):
            raise TimedOut(f"xenstore: busy with earlier reads for {deadline:g} s")
        try:
            return self._ask(kind, paths, until)
        except TimeoutError:
            self.close()
            raise TimedOut(f"xenstore: no answer within {deadline:g} s") from None
        except OSError as error:
            self.close()
            raise Unavailable(f"xenstore: {error}") from error
        except HostError:
            self.close()  # answers to the rest of the batch are still on their way
            raise
        finally:
            self._lock.release()

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
        self._file, self._pending = None, b""

    def _ask(self, kind: int, paths: Sequence[str], until: float) -> list[bytes | None]:
        file = self._open()
        answers: list[bytes | None] = []
        for start in range(0, len(paths), self._at_once):
            batch = paths[start : start + self._at_once]
            first = self._next_id
            self._next_id = (self._next_id + len(batch)) & 0x7FFFFFFF
            self._send(file, kind, first, batch, until)
            answers.extend(self._answer(file, first + n, path, until) for n, path in enumerate(batch))
        return answers

    def _open(self) -> int:
        if self._file is None:
            self._file, self._at_once = _open(self._paths)
            self._pending = b""
        return self._file

    def _send(self, file: int, kind: int, first: int, batch: Sequence[str], until: float) -> None:
        data = b"".join(_message(kind, first + n, path) for n, path in enumerate(batch))
        while data:
            _wait(file, select.POLLOUT, until)
            data = data[os.write(file, data) :]

    def _answer(self, file: int, request: int, path: str, until: float) -> bytes | None:
        kind, answered, _, length = _HEADER.unpack(self._take(file, _HEADER.size, until))
        body = self._take(file, length, until)
        if answered != request:
            raise HostError(f"xenstore: an answer to request {answered} where {request} was asked for")
        if kind != _ERROR:
            return body
        if body in (b"ENOENT\0", b"EACCES\0"):
            return None
        raise HostError(f"xenstore: {path}: {body.rstrip(bytes(1)).decode('ascii', 'replace')}")

    def _take(self, file: int, size: int, until: float) -> bytes:
        if size > _LONGEST + _HEADER.size:
            raise OSError(f"an answer of {size} bytes, longer than the protocol allows")
        while len(self._pending) < size:
            _wait(file, select.POLLIN, until)
            more = os.read(file, 65536)
            if not more:
                raise OSError("connection closed by xenstored")
            self._pending += more
        taken, self._pending = self._pending[:size], self._pending[size:]
        return taken


def _message(kind: int, request: int, path: str) -> bytes:
    body = path.encode() + b"\0"
    return _HEADER.pack(kind, request, 0, len(body)) + body


def _wait(file: int, event: int, until: float) -> None:
    poll = select.poll()
    poll.register(file, event)
    if not poll.poll(max(0.0, until - time.monotonic()) * 1000):
        raise TimeoutError


def _open(paths: Paths) -> tuple[int, int]:
    """A descriptor and how many requests may be on the way: the kernel's device takes one message a write."""
    failures = []
    for path, at_once in _host(paths):
        try:
            return _connect(path) if at_once > 1 else os.open(path, os.O_RDWR | os.O_CLOEXEC), at_once
        except OSError as error:
            failures.append(f"{path}: {error.strerror or error}")
    raise OSError("; ".join(failures))


def _host(paths: Paths) -> Iterator[tuple[Path, int]]:
    yield from ((path, _AT_ONCE) for path in paths.xenstored_sockets)
    yield from ((path, 1) for path in paths.xenbus_devices)


def _connect(path: Path) -> int:
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as connection:
        connection.settimeout(2.0)  # a listener with a full queue would block here
        connection.connect(str(path))
        connection.setblocking(False)
        return connection.detach()
