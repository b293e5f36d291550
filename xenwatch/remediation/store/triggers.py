"""Triggers: incidents of ours and alerts from outside, each kept once, until it is handled or has ended."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace

from xenwatch.model.action import AGENT, Alert, Trigger
from xenwatch.model.incident import Incident
from xenwatch.model.subject import Subject
from xenwatch.remediation.policy.inventory import ManagedInventory
from xenwatch.remediation.store import blocked, runs
from xenwatch.remediation.store.transaction import Transaction, View

_NAME_LABELS = ("uuid", "domain_uuid", "domain", "guest", "name")
_MAX_ACTIVE = 10_000
"""Active triggers kept; a flood of alerts must not fill the disk."""
_MAX_OF_ONE = 1_000
"""Of these, of one origin: a flood from one sender about one subject takes no room from the others."""
_FLOOD = "flood"


def trigger_of_incident(incident: Incident) -> Trigger:
    """An incident of ours as a reason to act."""
    diagnosis = incident.diagnosis
    return Trigger(
        "incident", diagnosis.rule, diagnosis.subject, incident.id, f"{incident.opened:.3f}", diagnosis.class_,
        {**diagnosis.fields, "severity": diagnosis.severity}, incident.explained_by or "",
        incident.acknowledged_by or "", diagnosis.aliases,
    )  # fmt: skip


def trigger_of_alert(alert: Alert, inventory: ManagedInventory) -> Trigger:
    """An alert as a hint. Its labels choose a guest of the policy, by comparison only; otherwise the host is meant."""
    labels = alert.labels
    target = Subject("host", inventory.here)
    pool = labels.get("pool", "") if any(labels.get("pool") == g.pool for g in inventory.guests) else ""
    for label in _NAME_LABELS:
        value = labels.get(label, "")
        guest = value and next((g for g in inventory.guests if g.pool == pool and value in (g.uuid, g.name)), None)
        if guest:
            target = guest.subject
            break
        if value and label != "name":
            target = Subject("domain", "unknown", "unknown")
    return Trigger("alert", labels.get("alertname", ""), target, alert.fingerprint, alert.starts_at, "", dict(labels))


def record(transaction: Transaction, trigger: Trigger, sender: str = "") -> bool:
    """Keep a trigger; false where it is kept already (then it is brought up to date), or where too many are active."""
    text = json.dumps(asdict(trigger))
    if transaction.db.execute("UPDATE trouble SET trigger=? WHERE key=?", (text, trigger.key)).rowcount:
        return False
    origin = f"{trigger.source}|{sender}|{trigger.target.key}"
    if not _has_room(transaction, origin):
        blocked.increment(transaction, _FLOOD)
        return False
    sql = "INSERT INTO trouble(key, trigger, firing, at, origin) VALUES(?,?,1,?,?)"
    transaction.db.execute(sql, (trigger.key, text, transaction.at, origin))
    return True


def _has_room(transaction: Transaction, origin: str) -> bool:
    """Whether one more of this origin is kept; where all room is taken, the largest origin gives way."""
    own = int(transaction.value("SELECT count(*) FROM trouble WHERE firing=1 AND origin=?", origin))
    if own >= _MAX_OF_ONE:
        return False
    if int(transaction.value("SELECT count(*) FROM trouble WHERE firing=1")) < _MAX_ACTIVE:
        return True
    largest, size = transaction.rows(
        "SELECT origin, count(*) AS size FROM trouble WHERE firing=1 GROUP BY origin ORDER BY size DESC LIMIT 1"
    )[0]
    if own + 1 >= size:
        return False
    newest = "SELECT key FROM trouble WHERE firing=1 AND origin=? ORDER BY at DESC, key DESC LIMIT 1"
    transaction.db.execute("DELETE FROM trouble WHERE key=?", (transaction.value(newest, largest),))
    blocked.increment(transaction, _FLOOD)
    return True


def resolve_former(transaction: Transaction, trigger: Trigger) -> None:
    """Ends what was recorded under a former id of the rule: it must not stay beside what the present id records."""
    for alias in trigger.aliases:
        resolve(transaction, replace(trigger, name=alias))


def resolve(transaction: Transaction, trigger: Trigger) -> None:
    """A trigger ended: a run that has not started is cancelled; one that has started is never stopped for it."""
    transaction.db.execute("UPDATE trouble SET firing=0 WHERE key=?", (trigger.key,))
    for run in runs.pending_for(transaction, trigger.key):
        runs.move(transaction, run, "cancelled", AGENT, "the incident or alert has ended")


def record_alerts(transaction: Transaction, alerts: Sequence[Alert], inventory: ManagedInventory) -> int:
    """Take in one delivery: firing alerts are recorded, ended ones resolved. How many were new."""
    count = 0
    for alert in alerts:
        trigger = trigger_of_alert(alert, inventory)
        if alert.firing:
            count += record(transaction, trigger, alert.sender)
        else:
            resolve(transaction, trigger)
    return count


def unhandled(view: View) -> list[Trigger]:
    """Active triggers that have not been handled: the oldest of each origin, then the second of each, and so on."""
    rows = view.rows(
        "SELECT trigger FROM"
        " (SELECT trigger, at, key, row_number() OVER (PARTITION BY origin ORDER BY at, key) AS place"
        " FROM trouble WHERE firing=1 AND handled=0) ORDER BY place, at, key"
    )
    return [runs.trigger_from_json(json.loads(text)) for (text,) in rows]


def active(view: View) -> list[Trigger]:
    """Every trigger that has not ended."""
    return [
        runs.trigger_from_json(json.loads(text)) for (text,) in view.rows("SELECT trigger FROM trouble WHERE firing=1")
    ]


def active_of_incident(view: View, incident: str) -> list[Trigger]:
    """The active triggers of an incident, by the incident's id."""
    begins = f"incident|{incident}|"
    sql = "SELECT trigger FROM trouble WHERE firing=1 AND substr(key, 1, ?) = ?"
    return [runs.trigger_from_json(json.loads(text)) for (text,) in view.rows(sql, len(begins), begins)]


def first_seen(view: View, key: str) -> float | None:
    """Store time at which a trigger was recorded; None where it is not kept."""
    at: float | None = view.value("SELECT at FROM trouble WHERE key=?", key)
    return at


def set_handled(transaction: Transaction, key: str, handled: bool) -> None:
    """Whether a trigger needs no further look."""
    transaction.db.execute("UPDATE trouble SET handled=? WHERE key=?", (handled, key))


def forget_ended(transaction: Transaction, seconds: float) -> None:
    """Drop ended triggers that were recorded longer ago than this."""
    transaction.db.execute("DELETE FROM trouble WHERE firing=0 AND at < ?", (transaction.at - seconds,))


def active_keys(view: View) -> set[str]:
    """The keys of all triggers that have not ended."""
    return {key for (key,) in view.rows("SELECT key FROM trouble WHERE firing=1")}
