"""The append-only record of every step, under a hash chain: no line can be changed or removed without a trace."""

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from xenwatch.remediation.store.transaction import Transaction, View

_HASHED = ("run", "kind", "old", "new", "actor", "reason", "facts", "wall", "at", "boot")
_SHOWN = "seq, run, kind, old, new, actor, reason, facts, wall, at"


@dataclass(frozen=True, slots=True)
class RunLogEntry:
    """One line of the record."""

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


def append(
    transaction: Transaction,
    kind: str,
    run: str | None,
    actor: str,
    reason: str = "",
    facts: Mapping[str, Any] | None = None,
    *,
    old: str | None = None,
    new: str | None = None,
) -> None:
    """Append one line to the chain."""
    (seq, previous) = transaction.rows("SELECT seq, hash FROM head")[0]
    stamp = (transaction.wall, transaction.at, transaction.boot)
    row = (run, kind, old, new, actor, reason, json.dumps(facts or {}, sort_keys=True), *stamp)
    digest = _digest(previous, seq + 1, row)
    transaction.db.execute("INSERT INTO entry VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?)", (seq + 1, *row, previous, digest))
    transaction.db.execute("UPDATE head SET seq=?, hash=?", (seq + 1, digest))


def last_seq(view: View) -> int:
    """The number of the newest line."""
    return int(view.value("SELECT seq FROM head"))


def entries_of(view: View, run: str | None) -> list[RunLogEntry]:
    """The lines of one run, or of all where `run` is None, in order."""
    rows = view.rows(f"SELECT {_SHOWN} FROM entry WHERE ? IS NULL OR run=? ORDER BY seq", run, run)  # noqa: S608 - a constant
    return [_entry(*row) for row in rows]


def latest_entries(view: View, limit: int) -> list[RunLogEntry]:
    """The last lines of all runs, the youngest first."""
    first = last_seq(view) - limit
    rows = view.rows(f"SELECT {_SHOWN} FROM entry WHERE seq > ? ORDER BY seq DESC", first)  # noqa: S608 - a constant
    return [_entry(*row) for row in rows]


def _entry(
    seq: int, run: str | None, kind: str, old: str | None, new: str | None, actor: str, reason: str, facts: str,
    wall: float, at: float,
) -> RunLogEntry:  # fmt: skip
    return RunLogEntry(seq, run, kind, old, new, actor, reason, json.loads(facts), wall, at)


def chain_problems(db: sqlite3.Connection) -> list[str]:
    """The first line that was changed, removed or inserted; empty where the chain is intact."""
    previous, last = "", 0
    for seq, *row, stored_previous, stored_digest in db.execute("SELECT * FROM entry ORDER BY seq"):
        if seq != last + 1:
            return [f"entries {last + 1} to {seq - 1} are missing"]
        if stored_previous != previous or _digest(previous, seq, tuple(row)) != stored_digest:
            return [f"entry {seq} was changed"]
        previous, last = stored_digest, seq
    head = db.execute("SELECT seq, hash FROM head").fetchone()
    return [] if head == (last, previous) else [f"entries after {last} are missing"]


def _digest(previous: str, seq: int, row: tuple[Any, ...]) -> str:
    """The hash of a line: of the one before it, of its place, and of its content."""
    content = json.dumps([previous, seq, dict(zip(_HASHED, row, strict=True))], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()
