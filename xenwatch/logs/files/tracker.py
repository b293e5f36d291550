"""Tracks the files of one log: rotated, copied, replaced or written late, and how far each was read."""

import os
from collections.abc import Sequence

from xenwatch.base.clock import Clock
from xenwatch.logs.counters import SourceCounters
from xenwatch.logs.files.archive import Archive, archives
from xenwatch.logs.files.cursors import Cursor, Rewound
from xenwatch.logs.files.file_reader import FileReader, next_name, skip_history
from xenwatch.logs.files.fingerprint import FileIdentity, is_compressed
from xenwatch.logs.files.replacement import is_only_a_number, moved_cursors, replaced_readers, skip_copied
from xenwatch.logs.files.resting import Resting, reopened
from xenwatch.logs.files.rotation import RotatedFile, close_all, is_copy, open_files, put_in_order
from xenwatch.logs.files.rotation_check import RotationCheck
from xenwatch.logs.files.spool import Spool
from xenwatch.logs.options import FollowOptions


class LogTracker:
    """Recognises each file of a log by its identity; one with another identity is new, whatever its name."""

    def __init__(
        self,
        path: str,
        clock: Clock,
        counters: SourceCounters,
        options: FollowOptions,
        *,
        cursors: Sequence[Cursor] | None,
        spool: Spool | None,
        from_end: bool,
    ) -> None:
        self._clock, self._counters, self._options = clock, counters, options
        self._path, (self._directory, self._log) = path, os.path.split(path)
        self._others: set[str] = set()
        """Paths of files of this log that its name does not tell."""
        self._resting: Resting | None = None
        self._rotation_check = RotationCheck(path)
        self._spool = spool
        self.open: list[FileReader] = []
        """Oldest first; the last reader that is not detached reads the file at the path."""
        self.ended: list[Cursor] = []
        """Files that are gone and not yet reported as ended. The caller empties it."""
        self.archives: list[Archive] = []
        """Compressed files with lines that were not read. The caller reads and removes them."""
        self._parked: list[Cursor] = list(cursors or ())
        """Files that are tracked but not held open."""
        self._rewound: list[Rewound] = []
        self._copies: set[FileIdentity] = set()
        """Files that hold what the log holds too."""
        self._first, self._from_end = cursors is None, from_end
        self._resuming = True
        """Until the files are first seen: each may get late writes, as if it had just been renamed."""
        self._check_again = True
        self._look_now = False

    @property
    def gone(self) -> bool:
        """Nothing of the log is left."""
        return not (self.open or self._parked or self._check_again)

    def cursors(self) -> list[Cursor]:
        """Where the next tracker goes on, oldest file first."""
        rewound = (replaced.cursor for replaced in self._rewound)
        archived = (archive.cursor for archive in self.archives)
        return [*archived, *self._parked, *rewound, *(reader.cursor() for reader in self.open)]

    def close(self) -> None:
        """Close all files."""
        for reader in self.open:
            os.close(reader.fd)
        self.open.clear()

    def rest(self) -> None:
        """Close all files to spare descriptors; `look` opens them when something changes."""
        self._resting = Resting(self._path, self.open)
        self._parked += [reader.cursor() for reader in self.open]
        self.close()

    def identities(self) -> set[FileIdentity]:
        """The files that are tracked."""
        return {reader.identity for reader in self.open} | {cursor.identity for cursor in self._parked}

    def adopt(self, path: str, *, adopted: bool = True) -> None:
        """The file at that path is one of this log's, or no longer one."""
        (self._others.add if adopted else self._others.discard)(path)
        self._look_now = True

    def look(self, *, settle: bool) -> None:
        """Check the files where something says that they changed."""
        again = (self._check_again and settle) or self._first or self._look_now
        rotated = self._rotation_check.has_changed()
        rested = self._resting is not None and self._resting.is_over(settle=settle)
        if rotated or again or (rested and not self._open_again()):
            self._look_now = False
            self._check_files()
            self._resting = None

    def _open_again(self) -> bool:
        """Open the log's file after a rest; False where it is another file, or its content was replaced."""
        fd, cursor = reopened(self._path, self._parked)
        if fd is None or cursor is None:
            return False
        self._parked.remove(cursor)
        self._resume(RotatedFile(self._log, fd, cursor.identity, 0, 0.0, rotated=False), cursor)
        self._resting = None
        return True

    def look_again(self) -> None:
        """Check the files because content was replaced."""
        self._rotation_check.has_changed()
        self._check_files()

    def rotated_meanwhile(self) -> bool:
        """Whether a rotation happened since the last check."""
        return self._rotation_check.has_rotated()

    def park(self, reader: FileReader) -> None:
        """Close the file and keep tracking it."""
        self.open.remove(reader)
        if os.fstat(reader.fd).st_nlink:
            self._parked.append(reader.cursor())
        os.close(reader.fd)

    def _check_files(self) -> None:
        """Match every file of the log to a reader or cursor; one that matches none is new."""
        try:
            self._find_replaced()
            members, complete, unreadable = open_files(self._directory, self._log, self._others)
        except OSError:
            members, complete, unreadable = [], False, 1
        self._counters.read_errors += unreadable
        self._check_again = not complete
        try:
            self._match_all(members)
            if complete:
                self._forget({member.identity for member in members})
        except OSError:
            self._counters.read_errors += 1
            self._check_again = True
        finally:
            held = {reader.fd for reader in self.open}
            close_all(member for member in members if member.fd not in held)

    def _match_all(self, members: list[RotatedFile]) -> None:
        identities = {member.identity for member in members}
        unmatched = [m for m in members if not (self._track(m) or self._continue_in_replacement(m, identities))]
        replaced = True
        while replaced:  # a truncation between the two looks makes a copy look like a new file
            unmatched = [member for member in unmatched if not self._continue_in_copy(member, identities)]
            fresh = [member for member in unmatched if not self._still_copying(member, members)]
            replaced = self._find_replaced()
            self._check_again |= replaced
        self._begin_all(fresh)
        put_in_order(self.open, members, self._clock.monotonic())
        if members:
            self._first = self._resuming = False

    def _begin_all(self, unmatched: list[RotatedFile]) -> None:
        readers = [self._begin(member) for member in unmatched]
        if self._first:
            skip_history(readers, 0 if self._from_end else self._options.history_bytes)
        else:
            self._counters.rotations += len(readers)

    def _forget(self, identities: set[FileIdentity]) -> None:
        """Drop the cursors of files that are gone, and content that is in none of the files."""
        gone = [cursor for cursor in self._parked if cursor.identity not in identities]
        self._parked = [cursor for cursor in self._parked if cursor.identity in identities]
        self._copies &= identities
        if found := archives(self._directory, self._log, [*gone, *(replaced.cursor for replaced in self._rewound)]):
            self.archives += found
            in_archives = [archive.cursor for archive in found]
            self._rewound = [replaced for replaced in self._rewound if replaced.cursor not in in_archives]
        self._counters.truncations_without_copy += sum(replaced.current for replaced in self._rewound)
        self.ended += [replaced.cursor for replaced in self._rewound]
        self._rewound.clear()

    def _track(self, member: RotatedFile) -> bool:
        """True where the file is tracked from now on or was before; False where it is new."""
        if any(reader.identity == member.identity for reader in self.open):
            return True
        cursor = next((parked for parked in self._parked if parked.identity == member.identity), None)
        if cursor is None:
            return False
        if is_only_a_number(member, cursor):
            self._parked.remove(cursor)
            return False
        if member.rotated and not self._resuming and member.size == cursor.offset and cursor.matches(member.fd):
            return True
        self._parked.remove(cursor)
        if self._resume(member, cursor):
            return True
        self._counters.truncations += 1
        self._rewound.append(Rewound(cursor, current=not (member.rotated and member.size)))
        if not member.rotated:
            self._replaced(member, cursor)
        return not member.rotated

    def _resume(self, member: RotatedFile, cursor: Cursor) -> bool:
        reader = FileReader.resume(member.fd, member.identity, cursor)
        if reader is None:
            return False
        self._copies.discard(member.identity)
        if cursor.overwritten and self._spool is not None:
            reader.stale = self._spool.content()
        self._add(reader)
        return True

    def _replaced(self, member: RotatedFile, cursor: Cursor) -> None:
        """The content of the log's file was replaced while nothing read it."""
        fresh = self._fresh(member.fd, member.identity, next_name(cursor.name))
        self._take_stale(fresh)
        self._add(fresh)

    def _continue_in_replacement(self, member: RotatedFile, identities: set[FileIdentity]) -> bool:
        """A copy of the log took its place; late writers may still have the replaced file."""
        replaced = replaced_readers(member, self.open, identities)
        if not replaced or not self._resume(member, replaced[-1].cursor()):
            return False
        for reader in replaced:
            skip_copied(reader, self.open[-1])
        return True

    def _continue_in_copy(self, member: RotatedFile, identities: set[FileIdentity]) -> bool:
        """The file holds what a rewound file held, or was tracked under another device number."""
        for rewound in self._rewound if member.rotated else ():
            if rewound.cursor.head.length and self._resume(member, rewound.cursor):
                self._rewound.remove(rewound)
                return True
        for cursor in moved_cursors(member, self._parked, identities):
            if self._resume(member, cursor):
                self._parked.remove(cursor)
                return True
        return False

    def _still_copying(self, member: RotatedFile, members: list[RotatedFile]) -> bool:
        """A copy of the log as it is now: read only if the log is truncated and the copy holds unread lines."""
        log = next((file for file in members if not file.rotated), None)
        if log is None or not member.rotated:
            return False
        if member.identity not in self._copies and not is_copy(member, log):
            return False
        if any(reader.identity == log.identity and reader.offset for reader in self.open):
            self._copies |= {member.identity} if member.size else set()
        # An empty file is a copy of anything; and of a log that was not read yet a truncation does not show.
        self._check_again |= member.identity not in self._copies
        return True

    def _begin(self, member: RotatedFile) -> FileReader:
        name = str(member.identity)
        if member.identity.generation is None:
            name += f"@{os.fstat(member.fd).st_ctime_ns:x}"
        reader = self._fresh(member.fd, member.identity, name)
        if self._spool is not None and not member.rotated:
            self._spool.turn(overlay=False)
        if is_compressed(os.pread(member.fd, 8, 0)):
            reader.skip_to(member.size)
        self._add(reader)
        return reader

    def _fresh(self, fd: int, identity: FileIdentity, name: str) -> FileReader:
        """A reader at the start of its file, under a name of its own."""
        used = {cursor.name for cursor in self.cursors()}
        while name in used:
            name = next_name(name)
        return FileReader(fd, identity, name)

    def _add(self, reader: FileReader) -> None:
        reader.quiet_since = self._clock.monotonic()
        if self._resting is not None:
            self._resting.restore(reader)
        self.open.append(reader)

    def _find_replaced(self) -> bool:
        """Find open files with content that was replaced; unread lines may be in a copy beside them."""
        any_replaced = False
        for index, reader in reversed(tuple(enumerate(self.open))):
            if reader.is_intact():
                continue
            any_replaced = True
            self._counters.truncations += 1
            self._rewound.append(Rewound(reader.cursor(), current=not reader.detached))
            if reader.detached:  # a new copy was written over it, or it was emptied: it is matched as a new file
                del self.open[index]
                os.close(reader.fd)
            else:
                fresh = self._fresh(reader.fd, reader.identity, next_name(reader.name))
                fresh.quiet_since = self._clock.monotonic()
                self.open[index] = fresh
                self._take_stale(fresh)
        return any_replaced

    def _take_stale(self, fresh: FileReader) -> None:
        if self._spool is not None:
            fresh.stale = self._spool.start_over(os.fstat(fresh.fd).st_size)
