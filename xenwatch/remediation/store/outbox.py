"""Events to be told: written with the change they tell of, kept until delivered, so each is told at least once."""

import json
from collections.abc import Mapping
from dataclasses import asdict

from xenwatch.model.action import EventKind, RemediationEvent
from xenwatch.remediation.store.transaction import Transaction


def tell(tx: Transaction, kind: EventKind, run: str, summary: str, details: Mapping[str, str] | None = None) -> None:
    """Put an event into the outbox, in the same transaction as what it tells of."""
    seq = int(tx.one("SELECT seq FROM head"))
    event = RemediationEvent(f"{run}.{kind}.{seq}", kind, tx.wall, run, summary, dict(details or {}))
    tx.db.execute("INSERT INTO outbox(id, body, next) VALUES(?,?,?)", (event.id, json.dumps(asdict(event)), tx.at))


def due(tx: Transaction, most: int = 50) -> list[tuple[RemediationEvent, int]]:
    """Undelivered events whose time has come, oldest first, with the attempts made."""
    sql = "SELECT body, attempts FROM outbox WHERE done=0 AND next <= ? ORDER BY rowid LIMIT ?"
    return [(RemediationEvent(**json.loads(body)), attempts) for body, attempts in tx.db.execute(sql, (tx.at, most))]


def delivered(tx: Transaction, event: str) -> None:
    """It was taken; it is not told again."""
    tx.db.execute("UPDATE outbox SET done=1 WHERE id=?", (event,))


def put_off(tx: Transaction, event: str, pause: float) -> None:
    """It was not taken; try again after a pause."""
    tx.db.execute("UPDATE outbox SET attempts=attempts+1, next=? WHERE id=?", (tx.at + pause, event))
