"""Events for people and other systems: written with the change they report, and kept until delivered."""

import json
from collections.abc import Mapping
from dataclasses import asdict

from xenwatch.model.action import EventKind, RemediationEvent
from xenwatch.remediation.store import entries
from xenwatch.remediation.store.transaction import Transaction


def enqueue(
    transaction: Transaction, kind: EventKind, run: str, summary: str, details: Mapping[str, str] | None = None
) -> None:
    """Put an event into the outbox, in the same transaction as what it reports; it is delivered at least once."""
    event_id = f"{run}.{kind}.{entries.last_seq(transaction)}"
    # The receiver keeps the head of the record where root of this host cannot change it.
    said = {**(details or {}), "record_head": str(entries.head(transaction))}
    event = RemediationEvent(event_id, kind, transaction.wall, run, summary, said)
    row = (event.id, json.dumps(asdict(event)), transaction.at)
    transaction.db.execute("INSERT INTO outbox(id, body, next) VALUES(?,?,?)", row)


def due(transaction: Transaction, limit: int = 50) -> list[tuple[RemediationEvent, int]]:
    """Undelivered events that are due, oldest first, with the attempts made so far."""
    sql = "SELECT body, attempts FROM outbox WHERE done=0 AND next <= ? ORDER BY rowid LIMIT ?"
    rows = transaction.rows(sql, transaction.at, limit)
    return [(RemediationEvent(**json.loads(body)), attempts) for body, attempts in rows]


def mark_delivered(transaction: Transaction, event: str) -> None:
    """The receiver accepted it; it is not sent again."""
    transaction.db.execute("UPDATE outbox SET done=1 WHERE id=?", (event,))


def postpone(transaction: Transaction, event: str, pause: float) -> None:
    """The receiver did not accept it; try again after a pause."""
    sql = "UPDATE outbox SET attempts=attempts+1, next=? WHERE id=?"
    transaction.db.execute(sql, (transaction.at + pause, event))


def forget_delivered(transaction: Transaction, seconds: float) -> None:
    """Drop delivered events that were due longer ago than this."""
    transaction.db.execute("DELETE FROM outbox WHERE done=1 AND next < ?", (transaction.at - seconds,))
