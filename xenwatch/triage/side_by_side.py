"""The large files of a bundle are scanned side by side in worker processes; the report is that of one process.

The bundle is read here as ever, file after file. Where a worker has scanned a log by then, its events are taken over;
where it has not, or has read it in another way, the log is scanned here.
"""

from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import Self

from xenwatch.diagnosis.matching.scanned import Scanned
from xenwatch.model.record import Chunk
from xenwatch.triage.scan_worker import ScannedLog, ScanTask, Worker, unpickled

_AHEAD = 2
"""Files for each worker that are scanned and not read here yet."""
_MOMENT = 0.2


class SideBySide:
    """As a context: the workers end with it. `is_over` says that nothing more is to be waited for."""

    def __init__(self, task: ScanTask, files: Sequence[str], jobs: int, is_over: Callable[[], bool]) -> None:
        self._task, self._is_over = task, is_over
        self._waiting = list(reversed(files))
        self._jobs = min(jobs, len(files))
        self._workers: dict[Connection, Worker] = {}
        self._under_way: set[str] = set()
        self._ready: dict[str, dict[str, ScannedLog]] = {}
        """By file: the logs in it, by their paths."""
        self._log: ScannedLog | None = None
        """The one that is read here just now."""
        self._reading = ""

    def __enter__(self) -> Self:
        task = self._task.packed()
        for _ in range(self._jobs):
            worker = Worker(task)
            self._workers[worker.connection] = worker
            self._give(worker)
        return self

    def __exit__(self, *_error: object) -> None:
        for worker in self._workers.values():
            worker.stop()

    def scanned(self, chunk: Chunk) -> Scanned | None:
        """What a worker found in the chunk; None: it is to be scanned here."""
        path = chunk.source.path
        if path != self._reading:
            self._reading, self._log = path, self._taken(path, chunk)
        elif self._under_way:
            self._receive(0.0)
        piece = None if self._log is None else self._log.pieces.get((chunk.position.offset, len(chunk.data)))
        return None if piece is None else unpickled(piece, chunk.source)

    def _taken(self, path: str, chunk: Chunk) -> ScannedLog | None:
        file = next((file for file in (path, *_folders_of(path)) if self._is_known(file)), None)
        while file is not None and file in self._under_way and not self._is_over():
            self._receive(_MOMENT)
        logs = self._ready.get(file or "", {})
        log = logs.pop(path, None)
        if file is not None and not logs:
            self._ready.pop(file, None)
            self._give_all()
        return log if log is not None and log.fits(chunk) else None

    def _is_known(self, file: str) -> bool:
        if file in self._waiting:  # it is read here before anybody else could
            self._waiting.remove(file)
        return file in self._under_way or file in self._ready

    def _receive(self, seconds: float) -> None:
        for ready in wait(list(self._workers), seconds):
            worker = self._workers[ready]  # type: ignore[index]  # only connections are waited for
            logs = worker.result()
            self._under_way.discard(worker.file)
            self._ready[worker.file] = logs
            if worker.is_alive:
                self._give(worker)
            else:
                del self._workers[worker.connection]

    def _give_all(self) -> None:
        for worker in self._workers.values():
            if not worker.file:
                self._give(worker)

    def _give(self, worker: Worker) -> None:
        worker.file = ""
        if self._waiting and len(self._ready) + len(self._under_way) < _AHEAD * self._jobs:
            file = self._waiting.pop()
            worker.give(file)
            self._under_way.add(file)


def _folders_of(path: str) -> Iterator[str]:
    """What the path of a member begins with: the archive that it is in."""
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path
