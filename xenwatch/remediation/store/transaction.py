"""One transaction of the journal: runs are added and moved in it, and each step is a line of the chain."""

import json
import secrets
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from xenwatch.model.action import Proposal, RunState
from xenwatch.remediation.store.hashchain import digest_of


class Transaction:
    """One transaction: everything written in it stands together or not at all."""

    def __init__(self, db: sqlite3.Connection, at: float, wall: float, boot: str) -> None:
        self.db, self.at, self.wall, self.boot = db, at, wall, boot
        """`at` is journal time: seconds the host was up since the journal began; a step of the wall clock leaves it."""

    def one(self, sql: str, *values: object) -> Any:
        """The first column of the first row; None where there is none."""
        row = self.db.execute(sql, values).fetchone()
        return None if row is None else row[0]

    def add(self, proposal: Proposal) -> str | None:
        """A new run in state `proposed`; None where the same trouble already has its run."""
        run = f"{int(self.wall * 1000):012x}-{secrets.token_hex(4)}"
        row = {
            "id": run, "dedupe_key": proposal.dedupe_key, "action": proposal.action, "target": proposal.target.key,
            "host": proposal.host, "rule": proposal.rule, "trouble": proposal.trigger.key, "mode": proposal.mode,
            "risk": proposal.risk, "policy_hash": proposal.policy_hash, "plan_hash": proposal.plan_hash,
            "proposal": json.dumps(asdict(proposal), sort_keys=True), "requester": proposal.requester,
            "expires": proposal.expires, "needs_approval": proposal.needs_approval, "created": self.at,
            "wall": self.wall, "boot": self.boot,
        }  # fmt: skip
        sql = f"INSERT INTO run({','.join(row)}) VALUES({','.join('?' * len(row))})"
        try:
            self.db.execute(sql, tuple(row.values()))
        except sqlite3.IntegrityError as error:
            if "dedupe_key" in str(error):
                return None
            raise
        self.move(run, "proposed", proposal.requester, proposal.rule or "asked for", {"plan": list(proposal.plan)})
        return run

    def move(
        self, run: str, new: RunState, actor: str, reason: str = "", facts: Mapping[str, Any] | None = None
    ) -> None:
        """Move a run; StoreError where the table of moves does not have it. Nothing done: its budget comes back."""
        old = self.one("SELECT state FROM run WHERE id=?", run)
        self.entry("move", run, actor, reason, facts, old=old, new=new)
        if new in ("aborted", "cancelled"):
            self.db.execute("DELETE FROM budget WHERE run=?", (run,))

    def entry(
        self,
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
        seq, prev = self.db.execute("SELECT seq, hash FROM head").fetchone()
        row = (
            run,
            kind,
            old,
            new,
            actor,
            reason,
            json.dumps(facts or {}, sort_keys=True),
            self.wall,
            self.at,
            self.boot,
        )
        digest = digest_of(prev, seq + 1, row)
        self.db.execute("INSERT INTO entry VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?)", (seq + 1, *row, prev, digest))
        self.db.execute("UPDATE head SET seq=?, hash=?", (seq + 1, digest))
