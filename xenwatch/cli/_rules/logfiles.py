"""Reads a log for the tools of a rule's author, in chunks of whole lines."""

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
        known = recognise(str(path), data[:HEAD])
        if known.format is None:
            raise InputError(f"{path} is no log: {known.reason}")
        owner = known.format.subject.search(str(path)) if known.format.subject else None
        name = owner.groupdict().get("domain") if owner else None
        source = Source(str(path), known.format, Subject("domain", name) if name else None)
        yield from _cut(source, data, TimeHint(changed))


def _cut(source: Source, data: bytes, hint: TimeHint) -> Iterator[Chunk]:
    start, line = 0, 1
    while start < len(data):
        end = data.rfind(b"\n", start, start + CHUNK) + 1 if start + CHUNK < len(data) else len(data)
        end = end if end > start else data.find(b"\n", start) + 1 or len(data)
        piece = data[start:end]
        yield Chunk(source, piece, Position("", start, line), hint, final=end == len(data))
        start, line = end, line + piece.count(b"\n")
