"""Which incarnations of a log there are: rotated, copied, replaced, late written, and where each stands."""

import os
from collections.abc import Sequence
from typing import NamedTuple

from xenwatch.base.clock import Clock
from xenwatch.logs.counters import SourceCounters
from xenwatch.logs.cursors import Cursor
from xenwatch.logs.file_reader import FileReader, next_name
from xenwatch.logs.fingerprint import FileIdentity, is_compressed
from xenwatch.logs.options import FollowOptions
from xenwatch.logs.rotation import RotatedFile, close_all, is_copy, open_chain
from xenwatch.logs.rotation_check import Glance
from xenwatch.logs.spool import Spool


class _Rewound(NamedTuple):
    """Content that was replaced in place; `current`: that of the log itself, not of a file rotated long ago."""

    cursor: Cursor
    current: bool


class LogTracker:
    """Every file of the chain is known by its identity; one that is not known, wherever it stands, is new."""

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
        self._directory, self._log = os.path.split(path)
        self._glance = Glance(path)
        self._spool = spool
        self.open: list[FileReader] = []
        """Oldest first; the last one that is not detached is what the path shows."""
        self.ended: list[Cursor] = []
        """Lost without a trace; that nothing follows is still to be told. The reader empties it."""
        self._parked: list[Cursor] = list(cursors or ())
        """Known and handed on so far, but not held open."""
        self._rewound: list[_Rewound] = []
        self._copies: set[FileIdentity] = set()
        """Files that hold what the log holds too."""
        self._first, self._from_end = cursors is None, from_end
        self._resuming = True
        """Until the files are met for the first time: each may get late writes, as if it had just been renamed."""
        self._walk_again = True

    @property
    def gone(self) -> bool:
        """Nothing of the log is left."""
        return not (self.open or self._parked or self._walk_again)

    def cursors(self) -> list[Cursor]:
        """Where a successor goes on, oldest generation first."""
        rewound = (one.cursor for one in self._rewound)
        return [*self._parked, *rewound, *(generation.cursor() for generation in self.open)]

    def close(self) -> None:
        """Let go of all files."""
        for generation in self.open:
            os.close(generation.fd)
        self.open.clear()

    def look(self, *, settle: bool) -> None:
        """Walk the chain where something says that it changed."""
        if self._glance.moved() or (self._walk_again and settle) or self._first:
            self._walk()

    def look_again(self) -> None:
        """Walk it because content was found replaced."""
        self._glance.moved()
        self._walk()

    def rotated_meanwhile(self) -> bool:
        """A rotation slipped in since the last look."""
        return self._glance.rotated()

    def park(self, generation: FileReader) -> None:
        """Hold it open no longer; it stays known."""
        self.open.remove(generation)
        if os.fstat(generation.fd).st_nlink:
            self._parked.append(generation.cursor())
        os.close(generation.fd)

    def _walk(self) -> None:
        """Meet every file of the chain; one that is not known, wherever it stands, is new."""
        try:
            self._look_behind()
            members, complete, unreadable = open_chain(self._directory, self._log)
        except OSError:
            members, complete, unreadable = [], False, 1
        self._counters.read_errors += unreadable
        self._walk_again = not complete
        try:
            self._take_in(members)
            if complete:
                self._forget({member.identity for member in members})
        except OSError:
            self._counters.read_errors += 1
            self._walk_again = True
        finally:
            held = {generation.fd for generation in self.open}
            close_all(member for member in members if member.fd not in held)

    def _take_in(self, members: list[RotatedFile]) -> None:
        there = {member.identity for member in members}
        strangers = [member for member in members if not self._meet(member)]
        behind = True
        while behind:  # a truncation between the two looks makes a copy look like a new file
            strangers = [member for member in strangers if not self._continue_in_copy(member, there)]
            fresh = [member for member in strangers if not self._still_copying(member, members)]
            behind = self._look_behind()
            self._walk_again |= behind
        self._begin_all(fresh)
        self._sort(members)
        if members:
            self._first = self._resuming = False

    def _begin_all(self, strangers: list[RotatedFile]) -> None:
        begun = [self._begin(member) for member in strangers]
        if self._first:
            self._skip_history(begun)
        else:
            self._counters.rotations += len(begun)

    def _forget(self, there: set[FileIdentity]) -> None:
        """Drop what is known about files that are gone, and content that stands in none of them."""
        self._parked = [cursor for cursor in self._parked if cursor.identity in there]
        self._copies &= there
        self._counters.truncations_without_copy += sum(one.current for one in self._rewound)
        self.ended += [one.cursor for one in self._rewound]
        self._rewound.clear()

    def _meet(self, member: RotatedFile) -> bool:
        """True where the member is a known file."""
        if any(one.identity == member.identity for one in self.open):
            return True
        cursor = next((one for one in self._parked if one.identity == member.identity), None)
        if cursor is None:
            return False
        if cursor.offset == 0 and cursor.identity.generation is None:
            self._parked.remove(cursor)  # only an inode number, which any file may have by now
            return False
        if member.rotated and not self._resuming and member.size == cursor.offset and cursor.found_in(member.fd):
            return True
        self._parked.remove(cursor)
        if self._resume(member, cursor):
            return True
        self._counters.truncations += 1
        self._rewound.append(_Rewound(cursor, current=not (member.rotated and member.size)))
        if not member.rotated:
            self._replaced(member, cursor)
        return not member.rotated

    def _resume(self, member: RotatedFile, cursor: Cursor) -> bool:
        generation = FileReader.resume(member.fd, member.identity, cursor)
        if generation is None:
            return False
        self._copies.discard(member.identity)
        if cursor.overwritten and self._spool is not None:
            generation.stale = self._spool.content()
        self._add(generation)
        return True

    def _replaced(self, member: RotatedFile, cursor: Cursor) -> None:
        """While nobody looked, the content of the log's file was replaced."""
        fresh = self._fresh(member.fd, member.identity, next_name(cursor.name))
        self._take_stale(fresh)
        self._add(fresh)

    def _continue_in_copy(self, member: RotatedFile, there: set[FileIdentity]) -> bool:
        """The member holds what a rewound file held, or is a file we knew under another device number."""
        for rewound in self._rewound if member.rotated else ():
            if rewound.cursor.head.length and self._resume(member, rewound.cursor):
                self._rewound.remove(rewound)
                return True
        moved = [one for one in self._parked if one.identity not in there and one.may_be(member.identity)]
        for cursor in moved:
            if cursor.head.length and self._resume(member, cursor):
                self._parked.remove(cursor)
                return True
        return False

    def _still_copying(self, member: RotatedFile, members: list[RotatedFile]) -> bool:
        """A copy of the log as it is now: read only if the log is truncated and the copy holds more than was read."""
        log = next((one for one in members if not one.rotated), None)
        if log is None or not member.rotated:
            return False
        if member.identity not in self._copies and not is_copy(member, log):
            return False
        if any(one.identity == log.identity and one.offset for one in self.open):
            self._copies |= {member.identity} if member.size else set()
        # An empty file is a copy of anything; and of a log that was not read yet a truncation does not show.
        self._walk_again |= member.identity not in self._copies
        return True

    def _begin(self, member: RotatedFile) -> FileReader:
        name = str(member.identity)
        if member.identity.generation is None:
            name += f"@{os.fstat(member.fd).st_ctime_ns:x}"
        generation = self._fresh(member.fd, member.identity, name)
        if self._spool is not None and not member.rotated:
            self._spool.turn(overlay=False)
        if is_compressed(os.pread(member.fd, 8, 0)):
            generation.skip_to(member.size)
        self._add(generation)
        return generation

    def _fresh(self, fd: int, identity: FileIdentity, name: str) -> FileReader:
        """A generation with nothing handed on and a name that no other one has."""
        taken = {cursor.name for cursor in self.cursors()}
        while name in taken:
            name = next_name(name)
        return FileReader(fd, identity, name)

    def _add(self, generation: FileReader) -> None:
        generation.quiet_since = self._clock.monotonic()
        self.open.append(generation)

    def _skip_history(self, begun: list[FileReader]) -> None:
        room = 0 if self._from_end else self._options.history_bytes
        for generation in reversed(begun):
            size = os.fstat(generation.fd).st_size
            if size > room:
                generation.skip_to_line(size - room)
            room = max(0, room - size)

    def _sort(self, members: list[RotatedFile]) -> None:
        place = {member.identity: number for number, member in enumerate(members)}
        self.open.sort(key=lambda one: place.get(one.identity, -1))
        base = next((member.identity for member in members if not member.rotated), None)
        for generation in self.open:
            detached = generation.identity != base
            if detached and not generation.detached:
                generation.quiet_since = self._clock.monotonic()
            generation.detached = detached

    def _look_behind(self) -> bool:
        """Find the open files whose content was replaced; what was not read yet may stand in a copy beside them."""
        found = False
        for where, generation in reversed(tuple(enumerate(self.open))):
            if generation.intact():
                continue
            found = True
            self._counters.truncations += 1
            self._rewound.append(_Rewound(generation.cursor(), current=not generation.detached))
            if generation.detached:  # a new copy was written over it, or it was emptied: it is met as a stranger
                del self.open[where]
                os.close(generation.fd)
            else:
                fresh = self._fresh(generation.fd, generation.identity, next_name(generation.name))
                fresh.quiet_since = self._clock.monotonic()
                self.open[where] = fresh
                self._take_stale(fresh)
        return found

    def _take_stale(self, fresh: FileReader) -> None:
        if self._spool is None:
            return
        content = self._spool.content()
        overlay = bool(content) and os.fstat(fresh.fd).st_size == len(content)
        self._spool.turn(overlay=overlay)
        fresh.stale = content if overlay else None
