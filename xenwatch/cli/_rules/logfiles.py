"""Logs for the commands of a rule's author, read in chunks of complete lines."""

from collections.abc import Iterator
from pathlib import Path

from xenwatch.base.errors import InputError
from xenwatch.logs.format import HEAD, recognise
from xenwatch.model.record import Chunk, Position, Source, TimeHint
from xenwatch.model.subject import Subject

CHUNK = 256 * 1024


def chunks(paths: tuple[Path, ...]) -> Iterator[Chunk]:
    """The logs at `paths`, one after the other. Raises InputError where one cannot be read as a log."""
    for path in paths:
        if path.exists() and not path.is_file():
            raise InputError(f"{path} is not a regular file")
        try:
            data = path.read_bytes()
            changed = path.stat().st_mtime
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror or error}") from None
        recognised = recognise(str(path), data[:HEAD])
        if recognised.format is None:
            raise InputError(f"{path} is not a log: {recognised.reason}")
        owner = recognised.format.subject.search(str(path)) if recognised.format.subject else None
        name = owner.groupdict().get("domain") if owner else None
        source = Source(str(path), recognised.format, Subject("domain", name) if name else None)
        yield from _cut(source, data, TimeHint(changed))


def _cut(source: Source, data: bytes, hint: TimeHint) -> Iterator[Chunk]:
    start, line = 0, 1
    while start < len(data):
        end = data.rfind(b"\n", start, start + CHUNK) + 1 if start + CHUNK < len(data) else len(data)
        end = end if end > start else data.find(b"\n", start) + 1 or len(data)
        piece = data[start:end]
        yield Chunk(source, piece, Position("", start, line), hint, final=end == len(data))
        start, line = end, line + piece.count(b"\n")
