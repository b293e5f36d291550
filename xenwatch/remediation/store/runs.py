"""The remediation journal: every run and every step, fsynced before the effect, append-only under a hash chain."""

import json
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xenwatch.base.clock import Clock
from xenwatch.base.errors import InputError, StoreError
from xenwatch.model.action import ActionRun, Proposal, RunState, Trigger
from xenwatch.model.serialize import subject_from_json
from xenwatch.remediation.store import schema
from xenwatch.remediation.store.hashchain import broken
from xenwatch.remediation.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class RunLogEntry:
    """One line of the journal."""

    seq: int
    run: str | None
    kind: str
    old: str | None
    new: str | None
    actor: str
    reason: str
    facts: Mapping[str, Any]
    wall: float
    at: float


class RunStore:
    """Opened by the agent (one thread at a time) and by the command line; SQLite keeps the two apart."""

    def __init__(self, path: Path, clock: Clock, boot_id: str) -> None:
        """StoreError where the file is not a whole journal: then nothing is done, and monitoring goes on."""
        self._clock, self._boot = clock, boot_id
        self.path, self.slowest_commit = path, 0.0
        try:
            self._db = _open(path)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"{path}: the remediation journal cannot be used: {error}") from error
        try:
            problems = self.verify()
        except sqlite3.Error as error:
            problems = [str(error)]
        if problems:
            self._db.close()
            raise StoreError(f"{path}: the remediation journal is damaged: {problems[0]}")

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """BEGIN IMMEDIATE … COMMIT with fsync; StoreError, and nothing written, where the database refuses."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            tx = Transaction(self._db, self._journal_time(), self._clock.now(), self._boot)
            yield tx
            self._anchor(tx.at)
            self._commit()
        except sqlite3.Error as error:
            self._rollback()
            raise StoreError(f"{self.path}: {error}") from error
        except BaseException:
            self._rollback()
            raise

    def now(self) -> float:
        """Journal time, seconds."""
        return self._journal_time()

    def query(self, sql: str, *values: object) -> list[Any]:
        try:
            return self._db.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise StoreError(f"{self.path}: {error}") from error

    def run(self, run: str) -> ActionRun:
        """The run of this id, or of the one id that begins like this; InputError otherwise."""
        rows = self.query(f"SELECT {_RUN} FROM run WHERE substr(id, 1, ?) = ? ORDER BY id LIMIT 2", len(run), run)  # noqa: S608 - a constant
        if len(rows) != 1:
            raise InputError(f"{run}: {'more than one run begins' if rows else 'no run is named'} like this")
        return _run(rows[0])

    def runs(self, *states: RunState, target: str | None = None, limit: int = 1000) -> list[ActionRun]:
        """Runs in these states (all, where none is named), oldest first."""
        marks = ",".join("?" * len(states))
        where = [f"state IN ({marks})"] if states else []
        where += ["target=?"] if target is not None else []
        sql = f"SELECT {_RUN} FROM run {'WHERE ' + ' AND '.join(where) if where else ''} ORDER BY created, id LIMIT ?"  # noqa: S608 - constants
        return [_run(row) for row in self.query(sql, *states, *([target] if target is not None else []), limit)]

    def entries(self, run: str | None = None) -> list[RunLogEntry]:
        """The journal's lines in order, of one run or of all."""
        rows = self.query(
            "SELECT seq,run,kind,old,new,actor,reason,facts,wall,at FROM entry WHERE ? IS NULL OR run=? ORDER BY seq",
            run,
            run,
        )
        return [
            RunLogEntry(seq, of, kind, old, new, actor, reason, json.loads(facts), wall, at)
            for seq, of, kind, old, new, actor, reason, facts, wall, at in rows
        ]

    def verify(self) -> list[str]:
        """What is wrong with the chain: rows edited, removed or put in; empty when it is whole."""
        self._db.execute("BEGIN")  # one view of it all: another process may be writing
        try:
            return [*self._ill(), *broken(self._db)]
        finally:
            self._db.execute("ROLLBACK")

    def _ill(self) -> list[str]:
        return [str(row[0]) for row in self._db.execute("PRAGMA quick_check") if row[0] != "ok"]

    def _commit(self) -> None:
        before = self._clock.monotonic()
        self._db.execute("COMMIT")
        self.slowest_commit = max(self.slowest_commit, self._clock.monotonic() - before)

    def _rollback(self) -> None:
        with suppress(sqlite3.Error):
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")

    def _journal_time(self) -> float:
        """Of a time the host was down nothing is counted: a budget is never given back by a reboot."""
        known = dict(self._db.execute("SELECT key, value FROM meta WHERE key IN ('boot', 'monotonic', 'at')"))
        at = float(known.get("at", 0.0))
        if known.get("boot") != self._boot:
            return at
        return at + max(0.0, self._clock.monotonic() - float(known["monotonic"]))

    def _anchor(self, at: float) -> None:
        anchor = {"boot": self._boot, "monotonic": repr(self._clock.monotonic()), "at": repr(at)}
        self._db.executemany("INSERT OR REPLACE INTO meta VALUES(?,?)", anchor.items())


_RUN = "id, proposal, state, created, wall, reason, token"


def _run(row: tuple[Any, ...]) -> ActionRun:
    said = json.loads(row[1])
    trigger = said.pop("trigger")
    target, aliases = subject_from_json(trigger["target"]), tuple(trigger.get("aliases", ()))
    trigger = Trigger(**{**trigger, "target": target, "aliases": aliases})
    said |= {"target": subject_from_json(said["target"]), "trigger": trigger, "plan": tuple(said["plan"])}
    return ActionRun(row[0], Proposal(**said), *row[2:])


def _open(path: Path) -> sqlite3.Connection:
    if not path.exists():
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        path.touch(mode=0o640)
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        for pragma in schema.PRAGMAS:
            db.execute(pragma)
        with closing(db.execute("PRAGMA user_version")) as found:
            version = found.fetchone()[0]
        if version == 0 and not db.execute("SELECT 1 FROM sqlite_master").fetchone():
            _create(db)
        elif version != schema.VERSION:
            raise StoreError(f"{path}: journal version {version}; this program knows {schema.VERSION}")  # noqa: TRY301 - closed below
    except BaseException:
        db.close()
        raise
    return db


def _create(db: sqlite3.Connection) -> None:
    try:
        db.executescript(schema.script())
    except sqlite3.Error:
        if db.execute("PRAGMA user_version").fetchone()[0] != schema.VERSION:  # another process was first
            raise


def boot_id(read: Callable[[], str | None]) -> str:
    """This boot's id as the kernel gives it; `unknown-boot` is never the same boot twice."""
    return read() or f"unknown-boot-{secrets.token_hex(8)}"
