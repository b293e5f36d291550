"""A Runner for an agent that is not root: what only root may ask goes to the reader, everything else runs here."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from xenwatch.base.errors import CommandFailed, HostError, TimedOut, Unavailable
from xenwatch.host.exec.runner import OUTPUT_LIMIT, Completed, Runner, SystemRunner
from xenwatch.host.privileged.client import ask
from xenwatch.host.privileged.questions import is_question
from xenwatch.host.privileged.wire import REFUSED

SOCKET = Path("/run/xenwatch-reader/reader.sock")
"""Where systemd listens for the reader."""
_SPARE_SECONDS = 5.0
_ERRORS = 64 * 1024
_BATCH = 12 * 1024
"""Characters of paths in one question."""


class ReadingRunner:
    """`here` runs what every user may run."""

    def __init__(self, here: Runner, socket: Path = SOCKET) -> None:
        self._here, self._socket = here, socket

    async def run(self, argv: Sequence[str], deadline: float, *, limit: int = OUTPUT_LIMIT) -> Completed:
        if not is_question(argv):
            return await self._here.run(argv, deadline, limit=limit)
        return await ask_program(self._socket, argv, deadline, limit=limit)


async def ask_program(
    socket: Path, argv: Sequence[str], deadline: float, *, host: str = "", limit: int = OUTPUT_LIMIT
) -> Completed:
    """What a program says here or on a host of the policy. CommandFailed, TimedOut."""
    message = {"do": "run", "argv": list(argv), "host": host, "deadline": deadline}
    return completed(argv, await _asked(socket, argv, message, deadline), limit)


async def _asked(
    socket: Path, argv: Sequence[str], message: Mapping[str, object], deadline: float
) -> dict[str, object]:
    try:
        answer = await ask(socket, message, deadline + _SPARE_SECONDS)
    except TimedOut:
        raise
    except HostError as error:
        raise CommandFailed(argv, None, f"the reader: {error}") from error
    if REFUSED in answer:
        raise CommandFailed(argv, None, f"the reader: {answer[REFUSED]}")
    return answer


async def ask_xenstore(socket: Path, kind: int, paths: Sequence[str], deadline: float) -> list[bytes | None]:
    """What xenstored answers to a request of this kind for each path; None where there is no such node. HostError."""
    answers: list[bytes | None] = []
    for batch in _batches(paths):
        message = {"do": "xenstore", "kind": kind, "paths": batch, "deadline": deadline}
        answer = await ask(socket, message, deadline + _SPARE_SECONDS)
        values = answer.get("values")
        if REFUSED in answer or not isinstance(values, list) or len(values) != len(batch):
            raise Unavailable(f"xenstore: the reader: {answer.get(REFUSED, 'its answer is not understood')}")
        answers += [None if value is None else str(value).encode("latin-1", "replace") for value in values]
    return answers


def _batches(paths: Sequence[str]) -> Iterator[list[str]]:
    """As many paths as a question holds."""
    batch: list[str] = []
    size = 0
    for path in paths:
        size += len(path) + 4
        if batch and size > _BATCH:
            yield batch
            batch, size = [], len(path) + 4
        batch.append(path)
    if batch:
        yield batch


def completed(argv: Sequence[str], answer: Mapping[str, object], limit: int = OUTPUT_LIMIT) -> Completed:
    """What a program said, of the answer that `told` made."""
    code, out, err = answer.get("code"), str(answer.get("out", "")), str(answer.get("err", ""))
    if not isinstance(code, int):
        raise CommandFailed(argv, None, f"the reader: {err}")
    data = out.encode("latin-1", "replace")
    cut = bool(answer.get("truncated")) or len(data) > limit
    return Completed(tuple(argv), code, data[:limit], err.encode("latin-1", "replace"), cut)


def told(ended: Completed) -> dict[str, object]:
    """A program's end as JSON; each byte is the character of that number."""
    out, err = ended.stdout.decode("latin-1"), ended.stderr[-_ERRORS:].decode("latin-1")
    return {"code": ended.returncode, "out": out, "err": err, "truncated": ended.truncated}


def reader_socket() -> Path | None:
    """Where to ask what only root may; None where we are root, or there is no reader."""
    return None if os.geteuid() == 0 or not SOCKET.exists() else SOCKET


def local_runner(environment: Mapping[str, str] | None = None) -> Runner:
    """For this machine: root runs everything itself; another user asks the reader, where there is one."""
    here, socket = SystemRunner(environment), reader_socket()
    return here if socket is None else ReadingRunner(here, socket)
