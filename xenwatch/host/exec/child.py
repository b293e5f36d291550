"""A program from its start until it is reaped: nothing of it is left behind. The only subprocess in xenwatch."""

import asyncio
import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from typing import IO

from xenwatch.base.errors import CommandFailed

_REAP_SECONDS = 2.0


class Child:
    """A program in a process group of its own, without standard input.

    It is started without a turn of the loop, so nobody can give it up half-way: asyncio's own subprocess can be
    cancelled while it connects the pipes, and where the loop closes then, nobody reaps the program.
    """

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str], *, stderr: bool = True) -> None:
        """`stderr` false drops its error output. CommandFailed(returncode None) where it cannot be started."""
        errors = subprocess.PIPE if stderr else subprocess.DEVNULL
        self._loop, self._exited = asyncio.get_running_loop(), asyncio.Event()
        try:
            self._process = subprocess.Popen(
                argv,
                bufsize=0,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:  # ValueError: a NUL byte in an argument
            raise CommandFailed(argv, None, str(error)) from error
        threading.Thread(target=self._watch, name=f"until {argv[0]} ends", daemon=True).start()

    @property
    def streams(self) -> tuple[IO[bytes], ...]:
        """Its output and, where it was asked for, its error output: unbuffered, closed by `end`."""
        return tuple(stream for stream in (self._process.stdout, self._process.stderr) if stream is not None)

    async def exit(self) -> int:
        """What it returns, once it has ended by itself; negative: the signal."""
        await self._exited.wait()
        return int(self._process.returncode)

    async def end(self) -> None:
        """Kill its group where it still runs, and let go of one that even SIGKILL does not end in two seconds.

        A cancellation is heeded after that, not before: a loop that closes waits for its cancelled tasks.
        """
        self._kill()
        cancelled, until = None, self._loop.time() + _REAP_SECONDS
        while not self._exited.is_set() and self._loop.time() < until:
            try:
                async with asyncio.timeout_at(until):
                    await self._exited.wait()
            except TimeoutError:
                break
            except asyncio.CancelledError as error:
                cancelled = error
        for stream in self.streams:
            stream.close()
        if cancelled is not None:
            raise cancelled

    def _kill(self) -> None:
        if not self._exited.is_set():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _watch(self) -> None:
        """Waits in a thread, and leaves the reaping to the loop: until then its pid names no other process."""
        os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        try:
            self._loop.call_soon_threadsafe(self._reap)
        except RuntimeError:  # the loop is closed, so nobody will kill it any more
            self._process.wait()

    def _reap(self) -> None:
        self._process.wait()
        self._exited.set()
