"""Reads the bundles of a batch in worker processes of this machine; one that dies costs one bundle, never the batch."""

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait

from xenwatch.triage.batch.result import BundleResult
from xenwatch.triage.batch.task import BatchTask, read_bundle

_CONTEXT = get_context("spawn")
"""A child of fork would share locks and threads in whatever state they are."""
_GRACE = 5.0
_KILLED = "signal 9 (SIGKILL); the kernel kills the largest process where memory runs out"


def read_in_workers(task: BatchTask, bundles: Sequence[str], jobs: int) -> Iterator[BundleResult]:
    """The result of each bundle, in the order in which they are ready."""
    waiting, workers = iter(bundles), dict[Connection, _Worker]()
    try:
        for bundle in islice(waiting, jobs):
            _begin(workers, _Worker(task), bundle)
        while workers:
            for ready in wait(list(workers)):
                worker = workers.pop(ready)  # type: ignore[call-overload]  # only connections are waited for
                result = worker.result()
                _go_on(workers, worker, task, next(waiting, None))
                yield result
    finally:
        for worker in workers.values():
            worker.stop()


def _go_on(workers: "dict[Connection, _Worker]", worker: "_Worker", task: BatchTask, bundle: str | None) -> None:
    """The next bundle, for this worker if it lives; it is given before the last result is looked at."""
    if bundle is None:
        worker.stop()
    else:
        _begin(workers, worker if worker.is_alive else _Worker(task), bundle)


def _begin(workers: "dict[Connection, _Worker]", worker: "_Worker", bundle: str) -> None:
    worker.give(bundle)
    workers[worker.connection] = worker


class _Worker:
    """One process, and the bundle that it reads."""

    def __init__(self, task: BatchTask) -> None:
        self.connection, theirs = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=_serve, args=(task, theirs), daemon=True)
        self._process.start()
        theirs.close()
        self._bundle = ""
        self.is_alive = True

    def give(self, bundle: str) -> None:
        """Let it read this one; where it is dead, `result` says so."""
        self._bundle = bundle
        with suppress(OSError):
            self.connection.send(bundle)

    def result(self) -> BundleResult:
        """What it made of its bundle, or how it died."""
        try:
            result: BundleResult = self.connection.recv()
        except (EOFError, OSError):
            self.stop()
            return BundleResult(self._bundle, error=f"the worker process that read it died: {self._ending()}")
        return result

    def stop(self) -> None:
        """End it at once: it holds nothing that would be lost."""
        self.is_alive = False
        self.connection.close()
        self._process.join(0.2 if self._process.exitcode is None else 0)
        if self._process.exitcode is None:
            self._process.terminate()
            self._process.join(_GRACE)
        if self._process.exitcode is None:
            self._process.kill()
            self._process.join()

    def _ending(self) -> str:
        code = self._process.exitcode or 0
        if code == -signal.SIGKILL:
            return _KILLED
        if code < 0:
            return f"signal {-code} ({signal.Signals(-code).name})"
        return f"exit code {code}"


def _serve(task: BatchTask, connection: Connection) -> None:
    """The worker: reads bundle after bundle until the other side closes the connection.

    In a process group of its own, Ctrl-C reaches the parent alone, which decides what becomes of the batch.
    """
    os.setpgid(0, 0)
    with suppress(EOFError, OSError):
        while True:
            connection.send(read_bundle(task, connection.recv()))
