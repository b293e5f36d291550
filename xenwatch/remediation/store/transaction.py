"""What functions of the run store are given: a view to read from, or a transaction to write in."""

import sqlite3
from typing import Any


class View:
    """The run store as one reader sees it."""

    def __init__(self, db: sqlite3.Connection, at: float) -> None:
        self.db, self.at = db, at
        """`at` is store time: seconds the host was up since the store began; a step of the wall clock leaves it."""

    def value(self, sql: str, *values: object) -> Any:
        """The first column of the first row; None where there is no row."""
        row = self.db.execute(sql, values).fetchone()
        return None if row is None else row[0]

    def rows(self, sql: str, *values: object) -> list[Any]:
        return self.db.execute(sql, values).fetchall()


class Transaction(View):
    """One transaction: everything written in it stands together or not at all."""

    def __init__(self, db: sqlite3.Connection, at: float, wall: float, boot: str) -> None:
        super().__init__(db, at)
        self.wall, self.boot = wall, boot
