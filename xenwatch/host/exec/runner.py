"""Runs programs: argv lists with a deadline and bounded output, never a shell."""

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Protocol

from xenwatch.base.errors import CommandFailed, TimedOut
from xenwatch.host.exec.child import Child

OUTPUT_LIMIT = 8 * 1024 * 1024
"""Bytes of output that are kept: `xl list -l` of a thousand guests is half of it, and several programs run at once."""
_ERRORS_LIMIT = 1024 * 1024
_PIPE_SECONDS = 0.5
_READ_BYTES = 256 * 1024
_LONGEST_LINE = 1024 * 1024
_TURN_LINES = 32


@dataclass(frozen=True, slots=True)
class Completed:
    """A program that ran to its end, whatever it returned."""

    argv: tuple[str, ...]
    returncode: int
    stdout: bytes
    stderr: bytes
    truncated: bool = False
    """True where more output came than was kept."""

    @property
    def text(self) -> str:
        return self.stdout.decode("utf-8", "replace")

    def checked(self) -> "Completed":
        """Itself when it returned 0; CommandFailed otherwise."""
        if self.returncode != 0:
            raise CommandFailed(self.argv, self.returncode, self.stderr.decode("utf-8", "replace"))
        return self


class Runner(Protocol):
    """What a part is handed that needs programs run; tests hand in one that plays recorded output."""

    async def run(self, argv: Sequence[str], deadline: float, *, limit: int = OUTPUT_LIMIT) -> Completed:
        """Run `argv`; TimedOut after `deadline` seconds, CommandFailed(returncode None) where it cannot be started."""


class SystemRunner:
    """Runs programs on this machine, each in a process group of its own, in the C locale, without standard input."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        """`environment` is added to our own."""
        self._environment = {**os.environ, "LC_ALL": "C", "LANG": "C", **(environment or {})}

    async def run(self, argv: Sequence[str], deadline: float, *, limit: int = OUTPUT_LIMIT) -> Completed:
        command = tuple(argv)
        child = Child(command, self._environment)
        kept = [_Kept(stream, most) for stream, most in zip(child.streams, (limit, _ERRORS_LIMIT), strict=True)]
        try:
            async with asyncio.timeout(deadline):
                returncode = await child.exit()
        except TimeoutError:
            raise TimedOut(f"{' '.join(command)}: still running after {deadline:g} s; killed") from None
        else:
            await _closed(kept)
        finally:
            for stream in kept:
                stream.close()
            await child.end()
        out, err = kept
        return Completed(command, returncode, bytes(out.data), bytes(err.data), out.truncated or err.truncated)

    async def lines(self, argv: Sequence[str]) -> AsyncGenerator[bytes, None]:
        """The lines of a program that goes on for ever, as they come; a line over a mebibyte is passed over.

        CommandFailed when it ends with an error or cannot be started. The caller closes the iterator to end it.
        """
        command = tuple(argv)
        child = Child(command, self._environment, stderr=False)
        try:
            async with _reader(child.streams[0]) as reader:
                count = 0
                while (line := await _line(reader)) is not None:
                    yield line
                    count += 1
                    if count % _TURN_LINES == 0:  # what is buffered comes without waiting, and others want their turn
                        await asyncio.sleep(0)
            if (returncode := await child.exit()) != 0:
                raise CommandFailed(command, returncode, "")
        finally:
            await child.end()


class _Kept:
    """The first bytes of a stream; the rest is read and dropped: a chatty program neither blocks nor fills memory."""

    def __init__(self, stream: IO[bytes], limit: int) -> None:
        self.data, self.truncated, self.closed = bytearray(), False, asyncio.Event()
        self._stream, self._limit, self._loop = stream, limit, asyncio.get_running_loop()
        os.set_blocking(stream.fileno(), False)
        self._loop.add_reader(stream, self._read)

    def close(self) -> None:
        if not self._stream.closed:
            self._loop.remove_reader(self._stream)
            self._stream.close()
            self.closed.set()

    def _read(self) -> None:
        try:
            data = os.read(self._stream.fileno(), _READ_BYTES)
        except BlockingIOError:
            return
        if not data:
            self.close()
        room = self._limit - len(self.data)
        self.data += data[:room]
        self.truncated |= len(data) > room


async def _closed(streams: Iterable[_Kept]) -> None:
    """A daemon that the program left behind may hold its pipes open: what was written by now is all there is."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_PIPE_SECONDS):
            for stream in streams:
                await stream.closed.wait()


@contextlib.asynccontextmanager
async def _reader(stream: IO[bytes]) -> AsyncGenerator[asyncio.StreamReader, None]:
    """Reads ahead of who asks by no more than a line or two."""
    reader = asyncio.StreamReader(limit=_LONGEST_LINE)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), stream
    )
    try:
        yield reader
    finally:
        transport.close()


async def _line(stream: asyncio.StreamReader) -> bytes | None:
    """The next line that is not too long; None at the end."""
    too_long = False
    while True:
        try:
            line = await stream.readuntil(b"\n")
        except asyncio.IncompleteReadError:
            return None
        except asyncio.LimitOverrunError as error:
            await stream.readexactly(error.consumed)
            too_long = True
        else:
            if not too_long:
                return line
            too_long = False  # this was its end
