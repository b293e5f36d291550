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


@dataclass(frozen=True, slots=True)
class Head:
    """The newest line and its hash, which depends on every line before it."""

    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"


def head(view: View) -> Head:
    """The head of the chain."""
    return Head(*view.rows("SELECT seq, hash FROM head")[0])


def hash_at(view: View, seq: int) -> str | None:
    """The hash of a line; None where there is no such line (any more)."""
    if seq == (cut := pruned(view)).seq:
        return cut.hash
    found: str | None = view.value("SELECT hash FROM entry WHERE seq=?", seq)
    return found


def pruned(view: View) -> Head:
    """The last line that was deleted because of its age; the chain begins behind it."""
    return Head(*view.rows("SELECT seq, hash FROM pruned")[0])


def old_ones(view: View, at: float) -> list[tuple[int, str | None]]:
    """Number and run of the lines before the first one that was written at that moment or later."""
    first = view.value("SELECT seq FROM entry WHERE at >= ? ORDER BY seq LIMIT 1", at)
    return view.rows("SELECT seq, run FROM entry WHERE seq < ? ORDER BY seq", first or last_seq(view) + 1)


def recorded_runs(view: View) -> set[str]:
    """The runs that some line speaks of."""
    return {run for (run,) in view.rows("SELECT DISTINCT run FROM entry WHERE run IS NOT NULL")}


def last_lines(view: View) -> dict[str, int]:
    """The number of the newest line of each run."""
    return dict(view.rows("SELECT run, max(seq) FROM entry WHERE run IS NOT NULL GROUP BY run"))


def prune(transaction: Transaction, seq: int, actor: str) -> None:
    """Delete the lines up to this one, and say so in a line: the chain stays whole from there on."""
    digest = hash_at(transaction, seq)
    append(transaction, "pruned", None, actor, f"entries up to {seq} were old", {"seq": seq, "hash": digest})
    transaction.db.execute("UPDATE pruned SET seq=?, hash=?", (seq, digest))
    transaction.db.execute("DELETE FROM entry WHERE seq <= ?", (seq,))


def last_seq(view: View) -> int:
    """The number of the newest line."""
    return int(view.value("SELECT seq FROM head"))


def entries_of(view: View, run: str | None) -> list[RunLogEntry]:
    """The lines of one run, or of all where `run` is None, in order."""
    rows = view.rows(f"SELECT {_SHOWN} FROM entry WHERE ? IS NULL OR run=? ORDER BY seq", run, run)  # noqa: S608 - a constant
    return [_entry(*row) for row in rows]


def count(view: View, kind: str, run: str) -> int:
    """How many lines of a kind a run has."""
    return int(view.value("SELECT count(*) FROM entry WHERE run=? AND kind=?", run, kind))


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
    last, previous = begin = db.execute("SELECT seq, hash FROM pruned").fetchone()
    for seq, *row, stored_previous, stored_digest in db.execute("SELECT * FROM entry ORDER BY seq"):
        if seq != last + 1:
            return [f"entries {last + 1} to {seq - 1} are missing"]
        if stored_previous != previous or _digest(previous, seq, tuple(row)) != stored_digest:
            return [f"entry {seq} was changed"]
        previous, last = stored_digest, seq
    if db.execute("SELECT seq, hash FROM head").fetchone() != (last, previous):
        return [f"entries after {last} are missing"]
    said = db.execute("SELECT facts FROM entry WHERE kind='pruned' ORDER BY seq DESC LIMIT 1").fetchone()
    told = json.loads(said[0]) if said else {"seq": 0, "hash": ""}
    return [] if begin == (told["seq"], told["hash"]) else [f"entries up to {begin[0]} are missing"]


def _digest(previous: str, seq: int, row: tuple[Any, ...]) -> str:
    """The hash of a line: of the one before it, of its place, and of its content."""
    content = json.dumps([previous, seq, dict(zip(_HASHED, row, strict=True))], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()
