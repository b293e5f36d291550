"""Runs programs: argv lists with a deadline and bounded output, never a shell. The only subprocess in xenwatch."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from xenwatch.base.errors import CommandFailed, TimedOut

OUTPUT_LIMIT = 16 * 1024 * 1024
_REAP_SECONDS = 2.0
_PIPE_SECONDS = 0.5
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
        whole = tuple(argv)
        transport, output = await self._started(whole, limit)
        try:
            async with asyncio.timeout(deadline):
                await output.exited.wait()
        except TimeoutError:
            raise TimedOut(f"{' '.join(whole)}: no end within {deadline:g} s; killed") from None
        else:
            # A daemon it left behind may hold the pipes open: what was written by now is all there is.
            await output.closed_within(_PIPE_SECONDS)
        finally:
            await _end(transport, output)
        returncode = transport.get_returncode()
        return Completed(
            whole,
            -signal.SIGKILL if returncode is None else returncode,
            bytes(output.kept[1]),
            bytes(output.kept[2]),
            output.truncated,
        )

    async def lines(self, argv: Sequence[str]) -> AsyncGenerator[bytes, None]:
        """The lines of a program that goes on for ever, as they come; a line over a mebibyte is passed over.

        CommandFailed when it ends with an error or cannot be started. The caller closes the iterator to end it.
        """
        whole = tuple(argv)
        try:
            process = await asyncio.create_subprocess_exec(
                *whole,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=self._environment,
                start_new_session=True,
                limit=_LONGEST_LINE,
            )
        except (OSError, ValueError) as error:
            raise CommandFailed(whole, None, str(error)) from error
        assert process.stdout is not None
        try:
            count = 0
            while (line := await _line(process.stdout)) is not None:
                yield line
                count += 1
                if count % _TURN_LINES == 0:  # what is buffered comes without waiting, and others want their turn
                    await asyncio.sleep(0)
            if await process.wait() != 0:
                raise CommandFailed(whole, process.returncode, "")
        finally:
            await _kill(process)

    async def _started(self, argv: tuple[str, ...], limit: int) -> "tuple[asyncio.SubprocessTransport, _Output]":
        """A start given up half-way leaves pipes and the program behind (asyncio, 3.11): it is finished, then ended."""
        starting = asyncio.ensure_future(self._start(argv, limit))
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            # a task of its own: a second cancellation of ours must not stop what ends the program
            await asyncio.shield(asyncio.ensure_future(_end_started(starting)))
            raise

    async def _start(self, argv: tuple[str, ...], limit: int) -> "tuple[asyncio.SubprocessTransport, _Output]":
        try:
            return await asyncio.get_running_loop().subprocess_exec(
                lambda: _Output(limit),
                *argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=self._environment,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:  # ValueError: a NUL byte in an argument
            raise CommandFailed(argv, None, str(error)) from error


class _Output(asyncio.SubprocessProtocol):
    """Keeps the first bytes of both streams and drops the rest: a chatty program neither blocks nor fills memory."""

    def __init__(self, limit: int) -> None:
        self.exited, self._closed = asyncio.Event(), asyncio.Event()
        self.kept = {1: bytearray(), 2: bytearray()}
        self.truncated = False
        self._limit = limit

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        room = self._limit - len(self.kept[fd])
        self.kept[fd] += data[:room]
        self.truncated |= len(data) > room

    def process_exited(self) -> None:
        self.exited.set()

    def connection_lost(self, _exc: Exception | None) -> None:
        self._closed.set()

    async def closed_within(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._closed.wait()


async def _end_started(starting: "asyncio.Future[tuple[asyncio.SubprocessTransport, _Output]]") -> None:
    with contextlib.suppress(CommandFailed):
        await _end(*await starting)


async def _end(transport: asyncio.SubprocessTransport, output: _Output) -> None:
    """Kill the group of a program that has not ended, and let go of one that even SIGKILL does not end."""
    try:
        if not output.exited.is_set():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(transport.get_pid(), signal.SIGKILL)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_REAP_SECONDS):
                    await output.exited.wait()
    finally:  # also when we are cancelled a second time while we wait
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


async def _kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_REAP_SECONDS):
                await process.wait()
