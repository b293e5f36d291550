"""Troubles reported to us, by our own diagnosis or from outside: each kept once, until handled or over."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace

from xenwatch.model.action import PENDING, Alert, Trigger
from xenwatch.model.incident import Incident
from xenwatch.model.serialize import subject_from_json
from xenwatch.model.subject import Subject
from xenwatch.remediation.policy.inventory import ManagedInventory
from xenwatch.remediation.store.transaction import Transaction

_NAME_LABELS = ("uuid", "domain_uuid", "domain", "guest", "name")
_WATCHED = 10_000
"""Troubles kept; further new ones are refused, so that a flood of alerts does not fill the disk."""


def trigger_of(incident: Incident) -> Trigger:
    """An incident of ours as a reason to act."""
    diagnosis = incident.diagnosis
    return Trigger(
        "incident", diagnosis.rule, diagnosis.subject, incident.id, f"{incident.opened:.3f}", diagnosis.class_,
        {**diagnosis.fields, "severity": diagnosis.severity}, incident.explained_by or "",
        incident.acknowledged_by or "", diagnosis.aliases,
    )  # fmt: skip


def trigger_of_alert(alert: Alert, inventory: ManagedInventory) -> Trigger:
    """An alert as a hint. Its labels choose a guest we know, by comparison only; otherwise the host is meant."""
    labels = alert.labels
    target = Subject("host", inventory.here)
    for label in _NAME_LABELS:
        value = labels.get(label, "")
        found = value and next((g for g in inventory.guests if value in (g.uuid, g.name)), None)
        if found:
            target = found.subject
            break
        if value and label != "name":
            target = Subject("domain", "unknown", "unknown")
    return Trigger("alert", labels.get("alertname", ""), target, alert.fingerprint, alert.starts_at, "", dict(labels))


def note(tx: Transaction, trigger: Trigger) -> bool:
    """Take a trouble in; false where it is known (what is new about it is kept), or where too many are."""
    said = json.dumps(asdict(trigger))
    if tx.db.execute("UPDATE trouble SET trigger=? WHERE key=?", (said, trigger.key)).rowcount:
        return False
    if int(tx.one("SELECT count(*) FROM trouble WHERE firing=1")) >= _WATCHED:
        return False
    tx.db.execute("INSERT INTO trouble(key, trigger, firing, at) VALUES(?,?,1,?)", (trigger.key, said, tx.at))
    return True


def replace_former(tx: Transaction, trigger: Trigger) -> None:
    """What was noted under a former id of the rule is not to stay beside what is noted under the present one."""
    for alias in trigger.aliases:
        over(tx, replace(trigger, name=alias))


def over(tx: Transaction, trigger: Trigger) -> None:
    """A trouble ended: what has not started is cancelled; what has is never stopped for it."""
    tx.db.execute("UPDATE trouble SET firing=0 WHERE key=?", (trigger.key,))
    marks = ",".join("?" * len(PENDING))
    sql = f"SELECT id FROM run WHERE trouble=? AND state IN ({marks})"  # noqa: S608 - marks only
    for (run,) in tx.db.execute(sql, (trigger.key, *PENDING)).fetchall():
        tx.move(run, "cancelled", "xenwatch", "the trouble is over")


def waiting(tx: Transaction) -> list[Trigger]:
    """Troubles that last and have not been dealt with, oldest first."""
    rows = tx.db.execute("SELECT trigger FROM trouble WHERE firing=1 AND handled=0 ORDER BY at, key").fetchall()
    return [read(row[0]) for row in rows]


def read(text: str) -> Trigger:
    """A trouble as it is kept."""
    said = json.loads(text)
    return Trigger(**{**said, "target": subject_from_json(said["target"]), "aliases": tuple(said.get("aliases", ()))})


def set_handled(tx: Transaction, key: str, handled: bool) -> None:
    """Whether a trouble needs looking at again."""
    tx.db.execute("UPDATE trouble SET handled=? WHERE key=?", (handled, key))


def forget_old(tx: Transaction, seconds: float) -> None:
    """Drop troubles that are over for so long, and nonces as old."""
    tx.db.execute("DELETE FROM trouble WHERE firing=0 AND at < ?", (tx.at - seconds,))
    tx.db.execute("DELETE FROM nonce WHERE at < ?", (tx.at - seconds,))


def take(tx: Transaction, alerts: Sequence[Alert], inventory: ManagedInventory) -> int:
    """One delivery, whole: new troubles are noted, ended ones are over. How many were new."""
    fresh = 0
    for alert in alerts:
        trigger = trigger_of_alert(alert, inventory)
        if alert.firing:
            fresh += note(tx, trigger)
        else:
            over(tx, trigger)
    return fresh
