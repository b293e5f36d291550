"""Incidents and their history read from the state database by another process than the agent."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from xenwatch.base.errors import InputError, StoreError
from xenwatch.model.incident import Incident
from xenwatch.state.changes import Change
from xenwatch.state.schema import FILE_NAME
from xenwatch.state.tables import incident_changes, incidents


def list_incidents(state_dir: Path) -> list[Incident]:
    """All stored incidents, the latest seen first. InputError: there is no database; StoreError: it is not readable."""
    with _reading(state_dir) as database:
        return incidents.read_by_last_seen(database)


def find_incident(state_dir: Path, wanted: str) -> tuple[Incident, list[Change]]:
    """One incident by its id, or by the start of it where that is unambiguous, and its history, oldest first."""
    with _reading(state_dir) as database:
        ids = incidents.ids_that_start_with(database, wanted)
        matching = [id_ for id_ in ids if id_ == wanted] or ids
        if len(matching) > 1:
            raise InputError(f"{len(matching)} incidents have an id that starts with {wanted!r}")
        incident = incidents.read_one(database, matching[0]) if matching else None
        if incident is None:
            raise InputError(f"there is no incident {wanted!r}")
        return incident, incident_changes.read(database, incident.id)


@contextmanager
def _reading(state_dir: Path) -> Iterator[sqlite3.Connection]:
    path = state_dir / FILE_NAME
    if not path.is_file():
        raise InputError(f"there is no state database at {path}; has the agent run with this state directory?")
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=5.0)) as database:
            yield database
    except sqlite3.Error as error:
        raise StoreError(f"cannot read {path}: {error}") from error
