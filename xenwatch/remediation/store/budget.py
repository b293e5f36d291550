"""Budget: one row for each admitted run, which counts until its window has passed."""

from collections.abc import Collection

from xenwatch.model.action import Proposal
from xenwatch.remediation.store.transaction import Transaction, View


def reserve(transaction: Transaction, run: str, proposal: Proposal) -> None:
    """Take one action from every budget of the run."""
    row = (run, transaction.at, proposal.target.key, proposal.host, proposal.risk, proposal.action)
    transaction.db.execute("INSERT INTO budget VALUES(?,?,?,?,?,?)", row)


def release(transaction: Transaction, run: str) -> None:
    """Give back what a run has reserved; the database refuses it for a run that may have had an effect."""
    transaction.db.execute("DELETE FROM budget WHERE run=?", (run,))


def used_since(view: View, since: float, condition: str, *values: object) -> int:
    """Actions admitted after a moment; `condition` is SQL of our own, over the columns of the table."""
    return int(view.value(f"SELECT count(*) FROM budget WHERE at > ? AND {condition}", since, *values))  # noqa: S608 - see above


def stored(view: View) -> dict[str, tuple[float, tuple[str, str, str, str]]]:
    """The rows by run: the moment, and target, host, risk and action."""
    rows = view.rows("SELECT run, at, guest, host, class, action FROM budget")
    return {run: (at, (guest, host, risk, action)) for run, at, guest, host, risk, action in rows}


def forget(transaction: Transaction, runs: Collection[str]) -> None:
    """Delete the rows of runs that are deleted."""
    transaction.db.executemany("DELETE FROM budget WHERE run=?", [(run,) for run in runs])
