"""The state database: cursors, correlation state and incidents, committed together or not at all."""

import json
import logging
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from xenwatch.base.errors import StoreError
from xenwatch.base.private_file import close_to_others
from xenwatch.model.incident import Incident
from xenwatch.state.changes import changes
from xenwatch.state.lock import lock
from xenwatch.state.schema import FILE_NAME, prepare
from xenwatch.state.tables import correlation, cursors, incident_changes, incidents

log = logging.getLogger(__name__)

T = TypeVar("T")
_LATEST_SCHEMA = 4
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


@dataclass(frozen=True, slots=True)
class SavedState:
    """What was committed last. Values of `cursors` and `correlation` are JSON values of the parts that wrote them."""

    cursors: Mapping[str, Any] = field(default_factory=dict)
    correlation: Mapping[str, Any] = field(default_factory=dict)
    incidents: tuple[Incident, ...] = ()
    cursors_lost: bool = False
    """Logs were read, but nobody knows how far."""


class Damaged(StoreError):
    """The file is not a valid database any more; it was moved aside and a new one started."""


class Store:
    """One open state directory; used by one thread at a time. `moved_aside` counts damaged databases replaced."""

    def __init__(self, state_dir: Path, *, now: Callable[[], float]) -> None:
        """Open or create `state_dir`/state.db. StoreError where it cannot be, or another agent holds it."""
        self._path, self._now = state_dir / FILE_NAME, now
        self.moved_aside = 0
        self._lock = lock(state_dir)
        self._lost: tuple[str, ...] = ()
        """Tables that were lost."""
        self._cursors: dict[str, str] = {}
        self._incidents: dict[str, Incident] = {}
        self._loaded = False
        try:
            self._connection = self._open()
        except StoreError:
            self._lock.release()
            raise

    def load(self) -> SavedState:
        """Everything that was committed; from a damaged file nothing, and a new one is started."""
        self._loaded = True
        try:
            saved = self._guard("read", self._read)
        except Damaged:
            return SavedState()
        self._cursors = {name: json.dumps(value) for name, value in saved.cursors.items()}
        self._incidents = {incident.id: incident for incident in saved.incidents}
        return saved

    def commit(self, cursors: Mapping[str, Any], correlation: Mapping[str, Any], incidents: Iterable[Incident]) -> None:
        """Write all cursors, all correlation state and the incidents that changed, in one transaction.

        StoreError: nothing was written; hand the same in again later. Damaged: the file was replaced by an empty one;
        hand in *every* incident next.
        """
        self._ensure_loaded()
        changed = tuple(incidents)
        log_cursors = {name: json.dumps(value) for name, value in cursors.items()}
        self._guard("write", lambda: self._write(log_cursors, correlation, changed))
        self._cursors = log_cursors
        self._incidents.update((incident.id, incident) for incident in changed)

    def forget(self, resolved_before: float) -> list[str]:
        """Delete resolved incidents last seen before that moment, with their history; their ids."""
        self._ensure_loaded()
        ids = [i.id for i in self._incidents.values() if i.state == "resolved" and i.last_seen < resolved_before]
        self._guard("delete old incidents from", lambda: self._delete(ids))
        for id_ in ids:
            del self._incidents[id_]
        return ids

    def close(self) -> None:
        self._connection.close()
        self._lock.release()

    def _ensure_loaded(self) -> None:
        """A commit writes only what differs from what is stored."""
        if not self._loaded:
            self.load()

    def _open(self) -> sqlite3.Connection:
        try:
            return self._connect()
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise StoreError(f"cannot open {self._path}: {error}") from error
            self._move_aside(error)
            return self._connect()

    def _connect(self) -> sqlite3.Connection:
        close_to_others(self._path)  # SQLite gives its other files the same mode
        _check_versions(self._path)
        # One thread uses it at a time, but not always the one that opened it.
        connection = sqlite3.connect(self._path, timeout=5.0, isolation_level=None, check_same_thread=False)
        # A flipped bit in one row must not keep the agent from all the others.
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            self._lost = prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _guard(self, what: str, access: Callable[[], T]) -> T:
        try:
            return access()
        except sqlite3.Error as error:
            if not _is_damage(error):
                raise StoreError(f"cannot {what} {self._path}: {error}") from error
            self._connection.close()
            self._move_aside(error)
            self._connection = self._connect()
            self._cursors, self._incidents = {}, {}
            raise Damaged(f"{self._path} was damaged ({error}) and has been replaced") from error

    def _move_aside(self, error: Exception) -> None:
        aside = self._path.with_name(f"{FILE_NAME}.damaged-{int(self._now())}")
        for suffix in ("", "-wal", "-shm"):
            part = self._path.with_name(FILE_NAME + suffix)
            if part.exists():
                part.rename(aside.with_name(aside.name + suffix))
        self.moved_aside += 1
        log.error(
            "%s is damaged (%s) and was moved aside to %s, with all incidents and log positions; a new one starts",
            self._path, error, aside.name,
        )  # fmt: skip

    def _read(self) -> SavedState:
        database = self._connection
        lost = "cursors" in self._lost
        return SavedState(cursors.read(database), correlation.read(database), incidents.read_by_age(database), lost)

    def _write(self, log_cursors: Mapping[str, str], parts: Mapping[str, Any], changed: tuple[Incident, ...]) -> None:
        with self._connection as database:
            database.execute("BEGIN IMMEDIATE")
            cursors.write(database, self._cursors, log_cursors)
            correlation.write(database, parts)
            for incident in changed:
                incidents.write(database, incident)
                incident_changes.write(database, changes(self._incidents.get(incident.id), incident))

    def _delete(self, ids: list[str]) -> None:
        with self._connection as database:
            database.execute("BEGIN IMMEDIATE")
            incident_changes.delete(database, ids)
            incidents.delete(database, ids)


def _check_versions(path: Path) -> None:
    """Of a later version, SQLite refuses the file, or only reads it: no agent would ever write again.

    https://www.sqlite.org/fileformat2.html#the_database_header
    """
    try:
        with path.open("rb") as file:
            header = file.read(48)
    except OSError:
        return  # SQLite says why
    if header and (header[18:20] not in (b"\1\1", b"\2\2") or int.from_bytes(header[44:48]) > _LATEST_SCHEMA):
        damage = sqlite3.DatabaseError("its header names a version that SQLite does not know")
        damage.sqlite_errorcode = sqlite3.SQLITE_NOTADB
        raise damage


def _is_damage(error: sqlite3.Error) -> bool:
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _DAMAGED
