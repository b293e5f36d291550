"""Table `incidents`: each incident as JSON, and the columns to look for it by."""

import logging
import sqlite3
from collections.abc import Iterable, Iterator

from xenwatch.model.incident import Incident
from xenwatch.state.codec import decode, encode
from xenwatch.state.tables.rows import storable

log = logging.getLogger(__name__)

CREATE = """
CREATE TABLE incidents (
    id TEXT PRIMARY KEY, state TEXT NOT NULL, rule TEXT NOT NULL, class TEXT NOT NULL, severity TEXT NOT NULL,
    kind TEXT NOT NULL, name TEXT NOT NULL, opened REAL NOT NULL, last_seen REAL NOT NULL, body TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX incidents_by_time ON incidents (last_seen);
"""


def read_by_age(database: sqlite3.Connection) -> tuple[Incident, ...]:
    """All incidents, the one that opened first in front."""
    return tuple(_readable(database.execute("SELECT id, body FROM incidents ORDER BY opened, id")))


def read_by_last_seen(database: sqlite3.Connection) -> list[Incident]:
    """All incidents, the latest seen in front."""
    return list(_readable(database.execute("SELECT id, body FROM incidents ORDER BY last_seen DESC, id")))


def ids_that_start_with(database: sqlite3.Connection, prefix: str) -> list[str]:
    """Ids of incidents; SQL's wildcards mean themselves."""
    rows = database.execute("SELECT id FROM incidents WHERE substr(id, 1, ?) = ?", (len(prefix), prefix))
    return [id_ for (id_,) in rows]


def read_one(database: sqlite3.Connection, id_: str) -> Incident | None:
    """One incident; None where there is none, or its row cannot be read."""
    return next(_readable(database.execute("SELECT id, body FROM incidents WHERE id = ?", (id_,))), None)


def write(database: sqlite3.Connection, incident: Incident) -> None:
    """Store one incident, in place of an older state of it."""
    diagnosis = incident.diagnosis
    database.execute(
        "REPLACE INTO incidents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (incident.id, incident.state, diagnosis.rule, diagnosis.class_, diagnosis.severity, diagnosis.subject.kind,
         storable(diagnosis.subject.name), incident.opened, incident.last_seen, encode(incident)),
    )  # fmt: skip


def delete(database: sqlite3.Connection, ids: Iterable[str]) -> None:
    """Delete the incidents with these ids."""
    database.executemany("DELETE FROM incidents WHERE id = ?", [(id_,) for id_ in ids])


def _readable(rows: Iterable[tuple[str, str]]) -> Iterator[Incident]:
    """One row that cannot be read is logged and left out, the others are kept."""
    for id_, body in rows:
        try:
            yield decode(body)
        except (ValueError, KeyError, TypeError) as error:
            log.error("incident %s in the state database cannot be read (%s: %s)", id_, type(error).__name__, error)  # noqa: TRY400 - a row is data; its traceback says nothing
