"""The chain under the journal: each line's hash holds the one before it, so that none can be changed or taken out."""

import hashlib
import json
import sqlite3
from typing import Any

_HASHED = ("run", "kind", "old", "new", "actor", "reason", "facts", "wall", "at", "boot")


def digest_of(prev: str, seq: int, row: tuple[Any, ...]) -> str:
    """The hash of a line of the journal: of the one before it, of its place, and of what it says."""
    whole = json.dumps([prev, seq, dict(zip(_HASHED, row, strict=True))], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()


def broken(db: sqlite3.Connection) -> list[str]:
    """The first line that was changed, taken out or put in; empty where the chain is whole."""
    prev, last = "", 0
    for seq, *row, said_prev, said in db.execute("SELECT * FROM entry ORDER BY seq"):
        if seq != last + 1:
            return [f"entries {last + 1} to {seq - 1} are missing"]
        if said_prev != prev or digest_of(prev, seq, tuple(row)) != said:
            return [f"entry {seq} was changed"]
        prev, last = said, seq
    head = db.execute("SELECT seq, hash FROM head").fetchone()
    return [] if head == (last, prev) else [f"entries after {last} are missing"]
