"""Follows a log and stores each number it read together with the cursor, in one transaction, until it is killed."""

import asyncio
import json
import re
import sqlite3
import sys

from xenwatch.base.clock import SystemClock
from xenwatch.logs.follow import Follower
from xenwatch.model.record import Chunk, LogFormat, Source

NUMBER = re.compile(rb"#(\d+) ")


def open_store(path: str) -> sqlite3.Connection:
    store = sqlite3.connect(path, isolation_level=None)
    store.execute("PRAGMA journal_mode=WAL")
    store.execute("PRAGMA synchronous=NORMAL")  # kill -9 is tried here, not a power cut
    store.execute("CREATE TABLE IF NOT EXISTS seen (number INTEGER, generation TEXT, at INTEGER)")
    store.execute("CREATE TABLE IF NOT EXISTS cursor (one INTEGER PRIMARY KEY, cursors TEXT)")
    return store


async def follow(pattern: str, database: str) -> None:
    store = open_store(database)
    row = store.execute("SELECT cursors FROM cursor").fetchone()

    def commit(chunk: Chunk) -> None:
        store.execute("BEGIN")
        rows = [
            (int(found[1]), chunk.position.generation, chunk.position.offset + found.start())
            for found in NUMBER.finditer(chunk.data)
        ]
        store.executemany("INSERT INTO seen VALUES (?, ?, ?)", rows)
        store.execute("INSERT OR REPLACE INTO cursor VALUES (1, ?)", (json.dumps(follower.cursors()),))
        store.execute("COMMIT")

    follower = Follower(
        [pattern],
        commit,
        lambda path, _head: Source(path, LogFormat("plain", "numbered lines")),
        SystemClock(),
        cursors=json.loads(row[0]) if row else None,
    )
    await follower.run()


if __name__ == "__main__":
    asyncio.run(follow(sys.argv[1], sys.argv[2]))
