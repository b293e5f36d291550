"""A process that scans the files it is given, and what it makes of them on the way to the process that asked."""

import os
import pickle
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from xenwatch.base.dataclass_pickle import DataclassPickler
from xenwatch.base.zones import Zone
from xenwatch.diagnosis.correlation.plan import counted_kinds, prepared
from xenwatch.diagnosis.matching.scanned import LogScanner, Scanned
from xenwatch.diagnosis.operations.marks import MARKS, Mark
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.model.record import Chunk, Source, TimeHint
from xenwatch.model.subject import Subject
from xenwatch.triage.bundle.reader import Bundle

MOST_HELD = 64 * 1024 * 1024
"""Bytes of what follows from one file; a file from which more follows is scanned by the process that asked."""
_CONTEXT = get_context("spawn")
"""A child of fork would share locks and threads in whatever state they are."""
_GRACE = 5.0


@dataclass(frozen=True, slots=True)
class ScanTask:
    """What all workers need to know. `several_hosts`: as the pipeline's."""

    rules: Sequence[Rule]
    cache: Path | None
    now: float
    utc_offset: Zone
    host: str | None
    several_hosts: bool = True

    def packed(self) -> bytes:
        """As a worker gets it: packed once for all of them."""
        buffer = BytesIO()
        DataclassPickler(buffer, protocol=pickle.HIGHEST_PROTOCOL).dump(self)
        return buffer.getvalue()


class ScannedLog(NamedTuple):
    """How a worker read a log, and by offset and length of each chunk what it found there."""

    format: str
    subject: Subject | None
    host: str | None
    hint: TimeHint
    pieces: dict[tuple[int, int], bytes]

    def fits(self, chunk: Chunk) -> bool:
        """Whether the log is read in the same way here."""
        source = chunk.source
        return (self.format, self.subject, self.host) == (source.format.name, source.subject, source.host) and (
            self.hint == chunk.hint
        )


class Worker:
    """One process, and the file that it scans; empty: none."""

    def __init__(self, task: bytes) -> None:
        """`task`: packed."""
        self.connection, theirs = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=_serve, args=(task, theirs), daemon=True)
        self._process.start()
        theirs.close()
        self.file, self.is_alive = "", True

    def give(self, file: str) -> None:
        """Let it scan this one; where it is dead, `result` says so."""
        self.file = file
        with suppress(OSError):
            self.connection.send(file)

    def result(self) -> dict[str, ScannedLog]:
        """The logs in its file; none where it died, or where too much follows from them."""
        try:
            logs: dict[str, ScannedLog] = self.connection.recv()
        except (EOFError, OSError):
            self.stop()
            return {}
        return logs

    def stop(self) -> None:
        """End it at once: it holds nothing that would be lost."""
        self.is_alive = False
        self.connection.close()
        self._process.terminate()
        self._process.join(_GRACE)
        if self._process.exitcode is None:
            self._process.kill()
            self._process.join()


def _serve(packed: bytes, connection: Connection) -> None:
    """In a process group of its own, Ctrl-C reaches the parent alone, which decides what becomes of the reading."""
    os.setpgid(0, 0)
    task: ScanTask = pickle.loads(packed)  # noqa: S301  our own parent packed it
    counted = counted_kinds(prepared(task.rules))
    scanner = LogScanner(task.rules, cache=task.cache, several_hosts=task.several_hosts, counted=counted)
    with suppress(EOFError, OSError):
        while True:
            connection.send(scan_file(task, scanner, connection.recv()))


def scan_file(task: ScanTask, scanner: LogScanner, file: str) -> dict[str, ScannedLog]:
    """The logs in the file, by their paths; none where the process that asked had better scan them itself."""
    logs: dict[str, ScannedLog] = {}
    held = 0
    for entry in Bundle([file], now=task.now, utc_offset=task.utc_offset, host=task.host).entries():
        pieces: dict[tuple[int, int], bytes] = {}
        for chunk in entry.chunks():
            piece = _pickled(scanner.scan(chunk))
            pieces[chunk.position.offset, len(chunk.data)] = piece
            held += len(piece)
            if chunk.position.offset == 0:
                if chunk.source.path in logs or held > MOST_HELD:
                    return {}
                source = chunk.source
                logs[source.path] = ScannedLog(source.format.name, source.subject, source.host, chunk.hint, pieces)
        if held > MOST_HELD:
            return {}
    return logs


class _ScannedPickler(DataclassPickler):
    """Logs and marks go by name."""

    def persistent_id(self, obj: Any) -> Any:
        if isinstance(obj, Source):
            return "source"
        return MARKS.index(obj) if isinstance(obj, Mark) else None


class _ScannedUnpickler(pickle.Unpickler):
    def __init__(self, data: bytes, source: Source) -> None:
        super().__init__(BytesIO(data))
        self._source = source

    def persistent_load(self, pid: Any) -> Any:
        return self._source if pid == "source" else MARKS[pid]


def _pickled(scanned: Scanned) -> bytes:
    buffer = BytesIO()
    _ScannedPickler(buffer, protocol=pickle.HIGHEST_PROTOCOL).dump(scanned)
    return buffer.getvalue()


def unpickled(piece: bytes, source: Source) -> Scanned:
    """What a worker, which is a process of ours, found in a chunk of that log."""
    scanned: Scanned = _ScannedUnpickler(piece, source).load()
    return scanned
