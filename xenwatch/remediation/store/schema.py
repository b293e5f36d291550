"""The tables of the run store, and the triggers that make a wrong write an error of the database."""

from collections.abc import Iterable

from xenwatch.model.action import RUN_MOVES, WITHOUT_EFFECT, RunState

VERSION = 2
"""2: old lines of the record may be deleted; `pruned` says up to where. `trouble` has its `origin`."""

PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA busy_timeout=5000",
    "PRAGMA trusted_schema=OFF",
)

_NEW: RunState = "new"
_ADMITTED: RunState = "admitted"
_EXECUTING: RunState = "executing"
_UNKNOWN: RunState = "unknown"


def sql_list(states: Iterable[RunState]) -> str:
    """Run states as the inside of an SQL `IN (...)`; they are this program's own words and need no quoting."""
    return ", ".join(f"'{state}'" for state in states)


TABLES = f"""
CREATE TABLE run(
  id TEXT PRIMARY KEY, dedupe_key TEXT NOT NULL UNIQUE, action TEXT NOT NULL, target TEXT NOT NULL, host TEXT NOT NULL,
  rule TEXT NOT NULL, trouble TEXT NOT NULL, mode TEXT NOT NULL,
  risk TEXT NOT NULL, policy_hash TEXT NOT NULL, plan_hash TEXT NOT NULL,
  proposal TEXT NOT NULL, requester TEXT NOT NULL, expires REAL NOT NULL, needs_approval INTEGER NOT NULL,
  created REAL NOT NULL, wall REAL NOT NULL, boot TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT '{_NEW}', reason TEXT NOT NULL DEFAULT '', token INTEGER, guard TEXT NOT NULL DEFAULT '');
CREATE INDEX run_state ON run(state);
CREATE INDEX run_target ON run(target);
CREATE TABLE entry(
  seq INTEGER PRIMARY KEY, run TEXT REFERENCES run(id), kind TEXT NOT NULL, old TEXT, new TEXT, actor TEXT NOT NULL,
  reason TEXT NOT NULL, facts TEXT NOT NULL, wall REAL NOT NULL, at REAL NOT NULL, boot TEXT NOT NULL,
  prev TEXT NOT NULL, hash TEXT NOT NULL);
CREATE INDEX entry_run ON entry(run);
CREATE TABLE head(one INTEGER PRIMARY KEY CHECK(one=1), seq INTEGER NOT NULL, hash TEXT NOT NULL);
CREATE TABLE pruned(one INTEGER PRIMARY KEY CHECK(one=1), seq INTEGER NOT NULL, hash TEXT NOT NULL);
CREATE TABLE allowed(old TEXT NOT NULL, new TEXT NOT NULL, PRIMARY KEY(old, new));
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE budget(
  run TEXT PRIMARY KEY REFERENCES run(id), at REAL NOT NULL, guest TEXT NOT NULL, host TEXT NOT NULL,
  class TEXT NOT NULL, action TEXT NOT NULL);
CREATE TABLE approval(
  nonce TEXT PRIMARY KEY, run TEXT NOT NULL REFERENCES run(id), actor TEXT NOT NULL, plan_hash TEXT NOT NULL,
  expires REAL NOT NULL, used INTEGER NOT NULL DEFAULT 0, revoked INTEGER NOT NULL DEFAULT 0);
CREATE TABLE backoff(target TEXT PRIMARY KEY, level INTEGER NOT NULL, last REAL NOT NULL, healthy_since REAL);
CREATE TABLE failing(target TEXT PRIMARY KEY, at REAL NOT NULL);
CREATE TABLE storm(one INTEGER PRIMARY KEY CHECK(one=1), active INTEGER NOT NULL, calm_since REAL);
CREATE TABLE breaker(scope TEXT PRIMARY KEY, open INTEGER NOT NULL, failures INTEGER NOT NULL, reason TEXT NOT NULL);
CREATE TABLE maintenance(scope TEXT PRIMARY KEY, owner TEXT NOT NULL, reason TEXT NOT NULL, expires REAL NOT NULL);
CREATE TABLE switch(
  one INTEGER PRIMARY KEY CHECK(one=1), off INTEGER NOT NULL, actor TEXT NOT NULL, reason TEXT NOT NULL);
CREATE TABLE nonce(value TEXT PRIMARY KEY, at REAL NOT NULL);
CREATE TABLE trouble(
  key TEXT PRIMARY KEY, trigger TEXT NOT NULL, firing INTEGER NOT NULL, handled INTEGER NOT NULL DEFAULT 0,
  at REAL NOT NULL, origin TEXT NOT NULL DEFAULT '');
CREATE INDEX trouble_origin ON trouble(firing, origin);
CREATE TABLE outbox(
  id TEXT PRIMARY KEY, body TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, next REAL NOT NULL,
  done INTEGER NOT NULL DEFAULT 0);
CREATE TABLE fence(target TEXT PRIMARY KEY, highest INTEGER NOT NULL);
CREATE TABLE blocked(guard TEXT PRIMARY KEY, count INTEGER NOT NULL);
"""

TRIGGERS = f"""
CREATE TRIGGER entry_is_kept BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER entry_stays BEFORE DELETE ON entry WHEN OLD.seq > (SELECT seq FROM pruned)
  BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER pruned_rises BEFORE UPDATE ON pruned
  WHEN NEW.seq < OLD.seq OR NEW.hash IS NOT (SELECT hash FROM entry WHERE seq = NEW.seq)
  BEGIN SELECT RAISE(ABORT, 'old lines are deleted from the oldest on'); END;
CREATE TRIGGER run_stays BEFORE DELETE ON run WHEN EXISTS (SELECT 1 FROM entry WHERE run = OLD.id)
  BEGIN SELECT RAISE(ABORT, 'a run is kept as long as the journal speaks of it'); END;
CREATE TRIGGER run_is_fixed BEFORE UPDATE OF
  id, dedupe_key, action, target, host, rule, trouble, risk, policy_hash, plan_hash, proposal, requester, expires ON run
  BEGIN SELECT RAISE(ABORT, 'what a run is cannot be changed'); END;
CREATE TRIGGER move_is_allowed BEFORE INSERT ON entry WHEN NEW.kind = 'move' BEGIN
  SELECT RAISE(ABORT, 'no such move') WHERE NOT EXISTS (SELECT 1 FROM allowed WHERE old = NEW.old AND new = NEW.new);
  SELECT RAISE(ABORT, 'the run is in another state') WHERE NEW.old IS NOT (SELECT state FROM run WHERE id = NEW.run);
  SELECT RAISE(ABORT, 'only a person or a recovery leaves unknown')
    WHERE NEW.old = '{_UNKNOWN}' AND NEW.actor NOT LIKE 'human:%' AND NEW.actor NOT LIKE 'recovery:%';
  SELECT RAISE(ABORT, 'no budget was reserved')
    WHERE NEW.new = '{_ADMITTED}' AND NOT EXISTS (SELECT 1 FROM budget WHERE run = NEW.run);
  SELECT RAISE(ABORT, 'no lease is held')
    WHERE NEW.new = '{_EXECUTING}' AND (SELECT token FROM run WHERE id = NEW.run) IS NULL;
END;
CREATE TRIGGER move_applies AFTER INSERT ON entry WHEN NEW.kind = 'move' BEGIN
  UPDATE run SET state = NEW.new, reason = NEW.reason WHERE id = NEW.run;
END;
CREATE TRIGGER state_follows_entry BEFORE UPDATE OF state ON run
  WHEN NEW.state IS NOT (SELECT new FROM entry WHERE run = NEW.id AND kind = 'move' ORDER BY seq DESC LIMIT 1)
  BEGIN SELECT RAISE(ABORT, 'a state changes through a journal entry only'); END;
CREATE TRIGGER intent_needs_executing BEFORE INSERT ON entry WHEN NEW.kind = 'intent'
  AND '{_EXECUTING}' IS NOT (SELECT state FROM run WHERE id = NEW.run)
  BEGIN SELECT RAISE(ABORT, 'an effect needs an executing run'); END;
CREATE TRIGGER budget_is_kept BEFORE DELETE ON budget
  WHEN (SELECT state FROM run WHERE id = OLD.run) NOT IN ({sql_list(WITHOUT_EFFECT)})
    AND EXISTS (SELECT 1 FROM entry WHERE run = OLD.run)
  BEGIN SELECT RAISE(ABORT, 'a budget is given back only where nothing was done'); END;
CREATE TRIGGER fence_rises BEFORE UPDATE ON fence WHEN NEW.highest < OLD.highest
  BEGIN SELECT RAISE(ABORT, 'a fencing token never falls'); END;
CREATE TRIGGER allowed_is_fixed BEFORE INSERT ON allowed BEGIN SELECT RAISE(ABORT, 'the moves are fixed'); END;
CREATE TRIGGER allowed_is_kept BEFORE UPDATE ON allowed BEGIN SELECT RAISE(ABORT, 'the moves are fixed'); END;
CREATE TRIGGER allowed_stays BEFORE DELETE ON allowed BEGIN SELECT RAISE(ABORT, 'the moves are fixed'); END;
"""  # noqa: S608 - run states of this program


def script() -> str:
    """The SQL that makes a new run store, in one transaction."""
    moves = ",".join(f"('{old}','{new}')" for old, news in RUN_MOVES.items() for new in news)
    first = (
        "INSERT INTO head VALUES(1,0,'');INSERT INTO pruned VALUES(1,0,'');"
        "INSERT INTO storm VALUES(1,0,NULL);INSERT INTO switch VALUES(1,0,'','');"
    )
    return (
        f"BEGIN IMMEDIATE;{TABLES}INSERT INTO allowed VALUES{moves};{first}{TRIGGERS}"
        f"PRAGMA user_version={VERSION};COMMIT;"
    )


def upgrade() -> str:
    """The SQL that brings a run store of version 1 up to date, in one transaction."""
    table = next(line for line in TABLES.splitlines() if line.startswith("CREATE TABLE pruned("))
    changed = ("entry_stays", "run_stays", "budget_is_kept", "pruned_rises")
    triggers = [f"CREATE TRIGGER {text}" for text in TRIGGERS.split("CREATE TRIGGER ")[1:] if text.startswith(changed)]
    drop = "".join(f"DROP TRIGGER IF EXISTS {name};" for name in changed)
    return (
        f"BEGIN IMMEDIATE;{table}INSERT INTO pruned VALUES(1,0,'');"
        f"ALTER TABLE trouble ADD COLUMN origin TEXT NOT NULL DEFAULT '';"
        f"CREATE INDEX trouble_origin ON trouble(firing, origin);{drop}{''.join(triggers)}"
        f"PRAGMA user_version={VERSION};COMMIT;"
    )
