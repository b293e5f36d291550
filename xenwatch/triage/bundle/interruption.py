"""Ctrl-C ends the reading, not the program: each stream then looks as if it ended, and what was read is judged."""

import io
import signal
import threading
from types import FrameType
from typing import Any, BinaryIO, Self, cast


class Interruption:
    """As a context it takes Ctrl-C; a second Ctrl-C is a KeyboardInterrupt as always.

    A chunk that is being judged is judged to its end; only a read that waits for data is broken off.
    """

    def __init__(self) -> None:
        self.is_requested = False
        self.path: str | None = None
        """The file that was cut short, if one was."""
        self._is_waiting = False
        self._previous: Any = None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGINT, self._requested)
        return self

    def __exit__(self, *_error: object) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)

    def guarded(self, stream: BinaryIO, path: str) -> BinaryIO:
        """The stream, which ends early where the interruption is requested."""
        return cast("BinaryIO", _GuardedStream(stream, path, self))

    def read_into(self, stream: BinaryIO, buffer: Any, path: str) -> int:
        """Bytes read; 0 at the end of the stream and from the interruption on."""
        try:
            self._is_waiting = True
            if not self.is_requested:
                return _read_once(stream, buffer)
        except KeyboardInterrupt:
            if not self.is_requested:
                raise
        finally:
            self._is_waiting = False
        self.path = self.path or path
        return 0

    def _requested(self, _signal: int, _frame: FrameType | None) -> None:
        again, self.is_requested = self.is_requested, True
        if again or self._is_waiting:
            raise KeyboardInterrupt


def _read_once(stream: BinaryIO, buffer: Any) -> int:
    """One read of what lies below: a buffered stream would lose what it gathered before the interruption."""
    return int(getattr(stream, "readinto1", cast("io.RawIOBase", stream).readinto)(buffer) or 0)


class _GuardedStream(io.RawIOBase):
    def __init__(self, stream: BinaryIO, path: str, interruption: Interruption) -> None:
        self._stream, self._path, self._interruption = stream, path, interruption

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._interruption.read_into(self._stream, buffer, self._path)
