"""The run store: every run and every step, synced to disk before the effect, append-only under a hash chain."""

import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from xenwatch.base.clock import Clock
from xenwatch.base.errors import StoreError
from xenwatch.base.private_file import close_to_others, rights_of_owner
from xenwatch.model.action import ActionRun, RunState
from xenwatch.remediation.store import runs, schema
from xenwatch.remediation.store.entries import RunLogEntry, chain_problems, entries_of
from xenwatch.remediation.store.transaction import Transaction, View

T = TypeVar("T")


class RunStore:
    """Opened by the agent (one thread at a time) and by the command line; SQLite keeps the two apart."""

    def __init__(self, path: Path, clock: Clock, boot_id: str) -> None:
        """StoreError where the file is damaged: then remediation is off, and monitoring goes on."""
        self._clock, self._boot = clock, boot_id
        self.path, self.slowest_commit = path, 0.0
        try:
            with rights_of_owner(path.parent):
                self._db = _open(path)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"{path}: the run store cannot be opened: {error}") from error
        try:
            problems = self.verify()
        except sqlite3.Error as error:
            problems = [str(error)]
        if problems:
            self._db.close()
            raise StoreError(f"{path}: the run store is damaged: {problems[0]}")

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """BEGIN IMMEDIATE … COMMIT with fsync; StoreError, and nothing written, where the database refuses."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            transaction = Transaction(self._db, self._now(), self._clock.now(), self._boot)
            yield transaction
            self._anchor(transaction.at)
            self._commit()
        except sqlite3.Error as error:
            self._rollback()
            raise StoreError(f"{self.path}: {error}") from error
        except BaseException:
            self._rollback()
            raise

    def read(self, work: Callable[[View], T]) -> T:
        """Do `work` on what is stored now; StoreError where the database refuses."""
        try:
            return work(View(self._db, self._now()))
        except sqlite3.Error as error:
            raise StoreError(f"{self.path}: {error}") from error

    def run(self, run: str) -> ActionRun:
        """The run of this id, or of the one id that begins like this; InputError otherwise."""
        return self.read(lambda view: runs.find(view, run))

    def runs(self, *states: RunState) -> list[ActionRun]:
        """Runs in these states (in any state, where none is named), oldest first."""
        return self.read(lambda view: runs.select(view, *states))

    def entries(self, run: str | None = None) -> list[RunLogEntry]:
        """The recorded steps in order, of one run or of all."""
        return self.read(lambda view: entries_of(view, run))

    def verify(self) -> list[str]:
        """What is wrong with the file or the chain: lines changed, removed or inserted; empty where nothing is."""
        self._db.execute("BEGIN")  # one view of it all: another process may be writing
        try:
            return [*self._file_problems(), *chain_problems(self._db)]
        finally:
            self._db.execute("ROLLBACK")

    def _file_problems(self) -> list[str]:
        return [str(row[0]) for row in self._db.execute("PRAGMA quick_check") if row[0] != "ok"]

    def _commit(self) -> None:
        before = self._clock.monotonic()
        self._db.execute("COMMIT")
        self.slowest_commit = max(self.slowest_commit, self._clock.monotonic() - before)

    def _rollback(self) -> None:
        with suppress(sqlite3.Error):
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")

    def _now(self) -> float:
        """Store time. The time the host was down does not count: a reboot never gives a budget back."""
        anchor = dict(self._db.execute("SELECT key, value FROM meta WHERE key IN ('boot', 'monotonic', 'at')"))
        at = float(anchor.get("at", 0.0))
        if anchor.get("boot") != self._boot:
            return at
        return at + max(0.0, self._clock.monotonic() - float(anchor["monotonic"]))

    def _anchor(self, at: float) -> None:
        anchor = {"boot": self._boot, "monotonic": repr(self._clock.monotonic()), "at": repr(at)}
        self._db.executemany("INSERT OR REPLACE INTO meta VALUES(?,?)", anchor.items())


def _open(path: Path) -> sqlite3.Connection:
    if not path.exists():
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    close_to_others(path)
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        for pragma in schema.PRAGMAS:
            db.execute(pragma)
        with closing(db.execute("PRAGMA user_version")) as rows:
            version = rows.fetchone()[0]
        if version == 0 and not db.execute("SELECT 1 FROM sqlite_master").fetchone():
            _create(db, schema.script())
        elif version == 1:
            _create(db, schema.upgrade())
        elif version != schema.VERSION:
            raise StoreError(  # noqa: TRY301 - closed below
                f"{path}: a newer xenwatch has written this run store (its version is {version}, and this xenwatch "
                f"reads up to {schema.VERSION}): upgrade xenwatch, or move the file away to begin a new record"
            )
    except BaseException:
        db.close()
        raise
    return db


def _create(db: sqlite3.Connection, script: str) -> None:
    try:
        db.executescript(script)
    except sqlite3.Error:
        if db.in_transaction:
            db.execute("ROLLBACK")
        if db.execute("PRAGMA user_version").fetchone()[0] != schema.VERSION:  # another process was first
            raise


@contextmanager
def view_of(path: Path) -> Iterator[View]:
    """A run store that another process writes, opened only to be read; nothing of it is checked. StoreError."""
    try:
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
        with closing(db):
            db.execute("PRAGMA trusted_schema=OFF")
            db.execute("PRAGMA query_only=ON")
            db.execute("PRAGMA busy_timeout=5000")
            yield View(db, 0.0)
    except sqlite3.Error as error:
        raise StoreError(f"{path}: {error}") from error


def boot_id(read: Callable[[], str | None]) -> str:
    """This boot's id as the kernel gives it; `unknown-boot` is never the same boot twice."""
    return read() or f"unknown-boot-{secrets.token_hex(8)}"
