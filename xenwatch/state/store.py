"""The state database: cursors, correlation state and incidents, committed together or not at all."""

import fcntl
import json
import logging
import os
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from xenwatch.base.errors import StoreError
from xenwatch.model.incident import Incident
from xenwatch.state.changes import changes
from xenwatch.state.codec import decode, encode
from xenwatch.state.schema import FILE_NAME, prepare

log = logging.getLogger(__name__)

T = TypeVar("T")
_LOCK_NAME = "agent.lock"
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


@dataclass(frozen=True, slots=True)
class SavedState:
    """What was committed last. Values of `cursors` and `correlation` are JSON values of whoever wrote them."""

    cursors: Mapping[str, Any] = field(default_factory=dict)
    correlation: Mapping[str, Any] = field(default_factory=dict)
    incidents: tuple[Incident, ...] = ()


class Damaged(StoreError):
    """The file is not a database any more; it was moved aside and a new one started."""


class Store:
    """One open state directory; used by one thread at a time. `moved_aside` counts damaged databases replaced."""

    def __init__(self, state_dir: Path, *, now: Callable[[], float]) -> None:
        """Open or create `state_dir`/state.db. StoreError where it cannot be, or another agent holds it."""
        self._path, self._now = state_dir / FILE_NAME, now
        self.moved_aside = 0
        self._lock = _lock(state_dir)
        self._cursors: dict[str, str] = {}
        self._known: dict[str, Incident] = {}
        try:
            self._connection = self._open()
        except StoreError:
            os.close(self._lock)
            raise

    def load(self) -> SavedState:
        """Everything that was committed; from a damaged file nothing, and a new one is started."""
        try:
            saved = self._guard("read", self._read)
        except Damaged:
            return SavedState()
        self._cursors = {name: json.dumps(value) for name, value in saved.cursors.items()}
        self._known = {incident.id: incident for incident in saved.incidents}
        return saved

    def commit(self, cursors: Mapping[str, Any], correlation: Mapping[str, Any], incidents: Iterable[Incident]) -> None:
        """Write all cursors, all correlation state and the incidents that changed, in one transaction.

        StoreError: nothing was written; hand the same again later. Damaged: the file was replaced by an empty one;
        hand in *every* incident next.
        """
        changed = tuple(incidents)
        fresh = {name: json.dumps(value) for name, value in cursors.items()}
        self._guard("write", lambda: self._write(fresh, correlation, changed))
        self._cursors = fresh
        self._known.update((incident.id, incident) for incident in changed)

    def forget(self, resolved_before: float) -> list[str]:
        """Delete resolved incidents last seen before that moment, with their history; their ids."""
        gone = [i.id for i in self._known.values() if i.state == "resolved" and i.last_seen < resolved_before]
        self._guard("tidy", lambda: self._delete(gone))
        for one in gone:
            del self._known[one]
        return gone

    def close(self) -> None:
        self._connection.close()
        os.close(self._lock)

    def _open(self) -> sqlite3.Connection:
        try:
            return _connect(self._path)
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise StoreError(f"opening {self._path}: {error}") from error
            self._move_aside(error)
            return _connect(self._path)

    def _guard(self, what: str, work: Callable[[], T]) -> T:
        try:
            return work()
        except sqlite3.Error as error:
            if not _is_damage(error):
                raise StoreError(f"cannot {what} {self._path}: {error}") from error
            self._connection.close()
            self._move_aside(error)
            self._connection = _connect(self._path)
            self._cursors, self._known = {}, {}
            raise Damaged(f"{self._path} was damaged ({error}) and has been replaced") from error

    def _move_aside(self, error: Exception) -> None:
        aside = self._path.with_name(f"{FILE_NAME}.damaged-{int(self._now())}")
        for suffix in ("", "-wal", "-shm"):
            part = self._path.with_name(FILE_NAME + suffix)
            if part.exists():
                part.rename(aside.with_name(aside.name + suffix))
        self.moved_aside += 1
        log.error(
            "%s is damaged (%s): moved aside to %s; starting anew, incidents and log positions before now are in it",
            self._path, error, aside.name,
        )  # fmt: skip

    def _read(self) -> SavedState:
        rows = self._connection.execute
        return SavedState(
            _values(rows("SELECT log, cursor FROM cursors")),
            _values(rows("SELECT part, state FROM correlation")),
            tuple(readable(rows("SELECT id, body FROM incidents ORDER BY opened, id"))),
        )

    def _write(
        self, cursors: Mapping[str, str], correlation: Mapping[str, Any], incidents: tuple[Incident, ...]
    ) -> None:
        with self._connection as database:
            database.execute("BEGIN IMMEDIATE")
            gone = [(name,) for name in self._cursors if name not in cursors]
            moved = [pair for pair in cursors.items() if self._cursors.get(pair[0]) != pair[1]]
            database.executemany("DELETE FROM cursors WHERE log = ?", gone)
            database.executemany("REPLACE INTO cursors VALUES (?, ?)", moved)
            database.execute("DELETE FROM correlation")
            parts = [(part, json.dumps(state)) for part, state in correlation.items()]
            database.executemany("INSERT INTO correlation VALUES (?, ?)", parts)
            for incident in incidents:
                self._write_incident(database, incident)

    def _write_incident(self, database: sqlite3.Connection, incident: Incident) -> None:
        told = incident.diagnosis
        database.execute(
            "REPLACE INTO incidents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (incident.id, incident.state, told.rule, told.class_, told.severity, told.subject.kind,
             _storable(told.subject.name), incident.opened, incident.last_seen, encode(incident)),
        )  # fmt: skip
        database.executemany(
            "INSERT INTO incident_changes (incident, at, what, detail) VALUES (?, ?, ?, ?)",
            [(c.incident, c.at, c.what, _storable(c.detail)) for c in changes(self._known.get(incident.id), incident)],
        )

    def _delete(self, gone: list[str]) -> None:
        ids = [(one,) for one in gone]
        with self._connection as database:
            database.execute("BEGIN IMMEDIATE")
            database.executemany("DELETE FROM incident_changes WHERE incident = ?", ids)
            database.executemany("DELETE FROM incidents WHERE id = ?", ids)


def _values(rows: Iterable[tuple[str, str]]) -> dict[str, Any]:
    found = {}
    for name, text in rows:
        try:
            found[name] = json.loads(text)
        except ValueError as error:
            log.error("%s in the state database cannot be read: %s", name, error)  # noqa: TRY400 - as below
    return found


def readable(rows: Iterable[tuple[str, str]]) -> Iterable[Incident]:
    """The incidents in (id, body) rows; one that cannot be read is logged and left out, the others are kept."""
    for name, body in rows:
        try:
            yield decode(body)
        except (ValueError, KeyError, TypeError) as error:
            log.error("incident %s in the state database cannot be read (%s: %s)", name, type(error).__name__, error)  # noqa: TRY400 - a row is data; its traceback says nothing


def _storable(text: str) -> str:
    """SQLite takes UTF-8 only; a guest's name may hold bytes that are none."""
    return text.encode("utf-8", "replace").decode()


def _connect(path: Path) -> sqlite3.Connection:
    # The one thread that uses it may be another than the one that opened it, hence check_same_thread.
    connection = sqlite3.connect(path, timeout=5.0, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _is_damage(error: sqlite3.Error) -> bool:
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _DAMAGED


def _lock(state_dir: Path) -> int:
    """Hold the directory for this process; the kernel lets go when the process ends, however it ends."""
    try:
        state_dir.mkdir(mode=0o750, parents=True, exist_ok=True)
        descriptor = os.open(state_dir / _LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        raise StoreError(f"the state directory {state_dir} cannot be used: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise StoreError(f"another xenwatch agent is using the state directory {state_dir}") from error
    return descriptor
