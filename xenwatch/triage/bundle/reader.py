"""Reads what people collect from a broken host: files, folders, archives, standard input; logs and command output."""

import io
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, cast

from xenwatch.base.errors import ArchiveBomb, InputError
from xenwatch.base.retyped import as_written
from xenwatch.base.zones import Zone
from xenwatch.facts.pasted import pasted_facts
from xenwatch.facts.reader import FactsReader
from xenwatch.facts.saved import LARGEST_OUTPUT, facts_reader
from xenwatch.logs.format import LAST_RESORT, all_formats, by_content, by_name, recognise
from xenwatch.logs.owner import DeviceModels, owner_of
from xenwatch.logs.rotated_name import rotated_name
from xenwatch.logs.unwrapped import unwrapped
from xenwatch.model.record import LogFormat, Source, TimeHint
from xenwatch.triage.bundle.archive import (
    HEAD,
    ArchiveLimits,
    Members,
    PeekedStream,
    Unfolded,
    damaged,
    harmless_name,
    members,
    sane_time,
    unpacked,
)
from xenwatch.triage.bundle.entry import BundleEntry, SkippedMember, aligned_chunks
from xenwatch.triage.bundle.host_record import host_of_sosreport, is_host_record, read_host_record
from xenwatch.triage.bundle.interruption import Interruption
from xenwatch.triage.bundle.paste import Section, sections
from xenwatch.triage.bundle.snapshot_file import OWN_TEXT, is_snapshot, read_snapshot
from xenwatch.triage.bundle.zip_stream import zip_members

STDIN = "-"
LARGEST_RETYPED = 1024 * 1024
"""Bytes of a text that somebody may have quoted, numbered or indented; nobody does so with more."""
_NESTING = 2
"""An archive, and archives in it; not deeper."""


class Bundle:
    """`entries()` gives each log and each file of facts once; what could not be read is in `skipped`.

    `now` dates standard input; `utc_offset` is the zone of local times in these logs; `host`: the name of the host that
    all of it is of. Rotated sets of a folder come oldest first; members of an archive come in the archive's order.
    """

    def __init__(
        self,
        paths: Sequence[str],
        *,
        now: float,
        utc_offset: Zone = 0.0,
        limits: ArchiveLimits | None = None,
        host: str | None = None,
        stdin: BinaryIO | None = None,
        interruption: Interruption | None = None,
    ) -> None:
        """`stdin` stands in for standard input; once the `interruption` is requested, nothing more is read."""
        self._stdin, self._interruption = stdin, interruption or Interruption()
        self._paths, self._host = tuple(paths), host
        self._recorded: dict[str, str] = {}
        self._now, self._utc_offset, self._limits = now, utc_offset, limits or ArchiveLimits()
        self._unfolded = Unfolded()
        self.skipped: list[SkippedMember] = []
        self.device_models = DeviceModels()

    def entries(self) -> Iterator[BundleEntry]:
        """Raises InputError before anything is read if one of the paths does not exist."""
        missing = [path for path in self._paths if path != STDIN and not os.path.lexists(path)]
        if missing:
            raise InputError(f"no such file or folder: {', '.join(missing)}")
        for path in self._paths:
            if path == STDIN:
                yield from self._stream(self._stdin or sys.stdin.buffer, STDIN, self._now)
            elif Path(path).is_dir():
                yield from self._folder(Path(path))
            else:
                yield from self._file(path, follow=True)

    def _folder(self, folder: Path) -> Iterator[BundleEntry]:
        """Links inside are not followed: a collected folder may point anywhere."""
        for where, folders, files in os.walk(folder, onerror=self._unlisted):
            folders.sort()
            for name in sorted(files, key=rotation_order):
                yield from self._file(str(Path(where, name)), follow=False)

    def _unlisted(self, error: OSError) -> None:
        self._skip(str(error.filename), error.strerror or "cannot be listed")

    def _file(self, path: str, *, follow: bool) -> Iterator[BundleEntry]:
        if self._interruption.is_requested:
            return
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW)
        try:
            if not follow and Path(path).is_symlink():
                self._skip(path, "a link, not followed")
                return
            with io.FileIO(os.open(path, flags), "rb") as file:
                status = os.fstat(file.fileno())
                if (
                    not follow and not status.st_size and stat.S_ISREG(status.st_mode)
                ):  # all of /proc, too: reading some of it never ends
                    self._skip(path, "empty")
                    return
                if stat.S_ISREG(status.st_mode) or (follow and stat.S_ISFIFO(status.st_mode)):
                    os.set_blocking(file.fileno(), True)
                    yield from self._stream(cast("BinaryIO", file), path, sane_time(status.st_mtime) or self._now)
                else:
                    self._skip(path, "not a regular file")
        except OSError as error:
            self._skip(path, error.strerror or str(error))

    def _stream(
        self, stream: BinaryIO, path: str, mtime: float, depth: int = 0, wraps: int = 0
    ) -> Iterator[BundleEntry]:
        """Unwraps compression and archives until a log or a file of facts is left."""
        if depth == wraps == 0:
            stream = self._interruption.guarded(stream, path)
        try:
            headed = PeekedStream(stream)
        except damaged(ArchiveBomb) as error:
            self._skip(path, f"torn or damaged: {error}")
            return
        kind = headed.packing
        if kind == "tar":
            yield from self._archive(members(headed, self._limits), path, mtime, depth)
        elif kind == "zip":
            yield from self._archive(zip_members(headed, self._limits, self._unfolded), path, mtime, depth)
        elif kind is not None:
            if wraps >= _NESTING:
                self._skip(path, "packed too deep")
                return
            yield from self._stream(unpacked(headed, kind, self._limits, self._unfolded), path, mtime, depth, wraps + 1)
        else:
            yield from self._leaf(headed, path, mtime)

    def _archive(self, found: Members, path: str, mtime: float, depth: int) -> Iterator[BundleEntry]:
        if depth >= _NESTING:
            self._skip(path, "packed too deep inside other archives")
            return
        try:
            for member, stream in found:
                name = f"{path}/{harmless_name(member.name)}"
                if stream is not None:
                    yield from self._stream(stream, name, sane_time(member.mtime) or mtime, depth + 1)
                elif not member.isdir():
                    self._skip(name, "a link, device or sparse file, not followed")
        except ArchiveBomb as bomb:
            self._skip(path, str(bomb))
        except damaged() as error:
            self._skip(path, f"torn or damaged: {error}")

    def _leaf(self, headed: PeekedStream, path: str, mtime: float) -> Iterator[BundleEntry]:
        if not headed.head:
            self._skip(path, "empty")
            return
        reader = facts_reader(path, headed.head, named_as_log=by_name(path) is not None)
        if reader is None and _as_written(headed.head) is not headed.head:
            headed.rewrite(LARGEST_RETYPED, _as_written)
            reader = facts_reader(path, headed.head[:HEAD], named_as_log=by_name(path) is not None)
        if reader is not None:
            yield from self._facts(headed, path, mtime, reader)
            return
        if is_host_record(headed.head):
            self._record(path, headed.head)
        if is_host_record(headed.head) or headed.head.startswith(OWN_TEXT):
            return
        yield from self._snapshot(headed, path, mtime) if is_snapshot(headed.head) else self._log(headed, path, mtime)

    def _log(self, headed: PeekedStream, path: str, mtime: float) -> Iterator[BundleEntry]:
        recognised = recognise(_unpacked_name(path), headed.head)
        if recognised.format is not None and (recognised.reason != "name" or recognised.format.captured):
            yield from self._pasted(headed, path, mtime, recognised.format)
            recognised = recognise(_unpacked_name(path), headed.head)
        if recognised.format is None:
            self._skip(path, recognised.reason)
            return
        host = self._host_of(path)
        # Where a process id is all that the name says, the pipeline asks who was served once the hosts are told apart.
        source = Source(path, recognised.format, owner_of(path, recognised.format), host)
        hint = TimeHint(near=mtime, utc_offset=self._utc_offset)
        entry = BundleEntry(path, recognised.format.name, source, mtime, host=host)
        if recognised.format.captured:
            entry.facts = tuple(pasted_facts(headed.head.decode("utf-8", "replace"), mtime, path))
        entry.pieces = aligned_chunks(lambda view: self._read(headed, view, path), source, hint)
        yield entry

    def _pasted(self, headed: PeekedStream, path: str, mtime: float, format_: LogFormat) -> Iterator[BundleEntry]:
        """The logs that a paste holds; `headed` is left with what is none of them. A guest may print any prompt."""
        found: list[Section] = []

        def take(text: bytes) -> bytes:
            parts, rest = sections(text, _is_log, _has_facts)
            found.extend(parts)
            return rest

        if not format_.guest_written and sections(headed.head, _is_log, _has_facts)[0]:
            headed.rewrite(LARGEST_RETYPED, take)
        for name, text in found:
            yield from self._leaf(PeekedStream(io.BytesIO(text)), f"{path}/{harmless_name(name)}", mtime)

    def _facts(self, headed: PeekedStream, path: str, mtime: float, reader: FactsReader) -> Iterator[BundleEntry]:
        data = self._output(headed, path)
        try:
            facts = tuple(reader.read(data.decode("utf-8", "replace"), mtime, path))
        except Exception as error:  # noqa: BLE001  one file of a stranger's: a number of 5000 digits, JSON of any shape
            self._skip(path, f"not what {reader.name} prints: {str(error)[:200]}")
            return
        lines, host = data.count(b"\n"), self._host_of(path)
        if not reader.by_content:
            yield BundleEntry(path, reader.name, None, mtime, facts, lines=lines, bytes=len(data), host=host)
            return
        # A command says more than its table: `vgs` warns above it, and a row of `xm list` may be the symptom.
        source = Source(path, all_formats()[LAST_RESORT], None, host)
        entry = BundleEntry(path, reader.name, source, mtime, facts, host=host)
        hint = TimeHint(near=mtime, utc_offset=self._utc_offset)
        entry.pieces = aligned_chunks(io.BytesIO(data).readinto, source, hint)
        yield entry

    def _snapshot(self, headed: PeekedStream, path: str, mtime: float) -> Iterator[BundleEntry]:
        data = self._output(headed, path)
        try:
            snapshot = read_snapshot(data.decode("utf-8", "replace"))
        except ValueError as error:
            self._skip(path, f"a damaged snapshot: {error}")
            return
        lines, host = data.count(b"\n"), self._host_of(path)
        yield BundleEntry(path, "snapshot", None, mtime, snapshot=snapshot, lines=lines, bytes=len(data), host=host)

    def _record(self, path: str, data: bytes) -> None:
        """The bundle's own word for which host it is of counts for all that lies beside it."""
        try:
            self._recorded[path.rpartition("/")[0]] = read_host_record(data)
        except ValueError as error:
            self._skip(path, f"a damaged record of the host: {error}")

    def _host_of(self, path: str) -> str | None:
        if self._host is not None:
            return self._host
        recorded = (host for folder, host in self._recorded.items() if path.startswith(f"{folder}/"))
        return next(recorded, None) or host_of_sosreport(path)

    def _read(self, headed: PeekedStream, view: memoryview, path: str) -> int:
        """What was read before the damage counts; what lies behind it is reported."""
        try:
            return headed.readinto(view)
        except ArchiveBomb as bomb:
            self._skip(path, f"the rest: {bomb}")
        except damaged() as error:
            self._skip(path, f"the rest is torn or damaged: {error}")
        return 0

    def _output(self, headed: PeekedStream, path: str) -> bytes:
        data, block = bytearray(), bytearray(HEAD)
        while len(data) < LARGEST_OUTPUT and (count := self._read(headed, memoryview(block), path)):
            data += block[:count]
        return bytes(data)

    def _skip(self, path: str, reason: str) -> None:
        if self._interruption.is_requested:
            return  # it only seems to be torn: its reading was
        self.skipped.append(SkippedMember(path, reason))


def rotation_order(name: str) -> tuple[bool, str, tuple[int, str, int], str]:
    """Sorts the files of a folder so that a rotated set is read oldest first, and xend.log before all others."""
    rotated = rotated_name(name)
    return rotated.log != "xend.log", rotated.log, rotated.age, name


def _unpacked_name(path: str) -> str:
    packed = rotated_name(path.rpartition("/")[2]).packed
    return path.removesuffix(f".{packed}") if packed else path


def _is_log(name: str, text: bytes) -> bool:
    """A file is what its name says; a command, such as `xl dmesg`, may have failed instead of printing the log."""
    format_ = by_name(name)
    if format_ is None or format_.captured:
        return False
    return "." in name or "/" in name or by_content(text) is format_


def _has_facts(name: str, text: bytes) -> bool:
    """Only by the command before it: tables that tell by their heading what they are (`xl list`) are found anywhere."""
    reader = facts_reader(name, text)
    return reader is not None and not reader.by_content


def _as_written(text: bytes) -> bytes:
    return unwrapped(as_written(text))
