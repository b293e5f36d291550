"""Reads one run from the agent's run store in a process of its own, with no more rights than the agent has.

The file is the agent's: whoever took the agent writes what he likes into it. So root does not read it. A mistake in
SQLite that a crafted file meets gives away nothing that the agent does not have.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from xenwatch.base.errors import HostError, InputError, NotJson, XenwatchError
from xenwatch.effects.record import RunRecord, record_of, told
from xenwatch.host.exec.runner import Runner
from xenwatch.host.privileged.wire import decode
from xenwatch.remediation.store import runs
from xenwatch.remediation.store.entries import entries_of
from xenwatch.remediation.store.run_store import view_of

_DEADLINE = 20.0
_LONGEST = 1024 * 1024


@dataclass(frozen=True, slots=True)
class StoredRuns:
    """The runs of a store. `reader`: the command that prints one, given the store and the run."""

    store: Path
    runner: Runner
    reader: tuple[str, ...] = (sys.executable, "-I", "-m", "xenwatch.effects.stored_run")

    async def find(self, run: str) -> RunRecord:
        """InputError where there is none of this whole id, or what is told of it has another form."""
        try:
            ended = await self.runner.run((*self.reader, str(self.store), run), _DEADLINE, limit=_LONGEST)
        except HostError as error:
            raise InputError(f"the run store cannot be read: {error}") from error
        if ended.returncode != 0:
            said = ended.stderr.decode("utf-8", "replace").strip().splitlines()
            raise InputError(f"the run store cannot be read: {said[-1][:200] if said else ended.returncode}")
        try:
            record = record_of(decode(ended.stdout))
        except NotJson as error:
            raise InputError(f"the run store cannot be read: {error}") from error
        if record.run != run:
            raise InputError(f"there is no run {run}")
        return record


def main(words: Sequence[str]) -> int:
    """Print the run as JSON."""
    store, run = words
    try:
        with view_of(Path(store)) as view:
            found = runs.find(view, run)
            print(json.dumps(told(found, entries_of(view, found.id))))  # noqa: T201 - what it is for
    except (XenwatchError, ValueError, TypeError, KeyError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
