"""Where leases, slots and maintenance stand in etcd, and how a claim becomes one transaction: all of it or nothing.

A token is made of the minute in which this etcd began to coordinate and of the lease's revision: an etcd that was lost
and came back empty gives higher tokens than the one before, so no receiver refuses everybody for ever.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from xenwatch.fleet.etcd import KeyValue, Operation, created_at, exists, put_operation
from xenwatch.fleet.host_report import self_key
from xenwatch.fleet.storm import STORM
from xenwatch.model.coordination import Claim, Denied

ACTION = "/xenwatch/action/"
EPOCH = f"{ACTION}epoch"
LEASES = f"{ACTION}leases/"
SLOTS = f"{ACTION}slots/"
STARTS = f"{ACTION}starts/"
"""Each stands on a lease of etcd as long as the window of the budget."""
MAINTENANCE = f"{ACTION}maintenance/"
LEADER = "/xenwatch/fleet/leader"

_REVISION_BITS = 36
"""Seventy thousand million writes; with the minutes of two hundred years it fits 63 bits."""
_YEAR_2020 = 1_577_836_800


def epoch_text(now: float) -> str:
    """What is kept once for the life of an etcd."""
    return str(max(1, int(now - _YEAR_2020) // 60))


def token_of(epoch: str, revision: int) -> int:
    """Higher than every token that was given before."""
    return (int(epoch) << _REVISION_BITS) + revision


@dataclass(frozen=True, slots=True)
class Slot:
    """One of the fleet's slots, as it is kept."""

    number: int
    host: str
    run: str
    target: str
    action: str


def slot_of(kv: KeyValue) -> Slot | None:
    """None for anything else that stands there."""
    try:
        body = json.loads(kv.value)
        texts = [str(body[name]) for name in ("host", "run", "target", "action")]
        return Slot(int(kv.key.removeprefix(SLOTS)), *texts)
    except (ValueError, KeyError, TypeError):
        return None


def lease_key(target: str) -> str:
    """One for each target; a key of etcd may hold any name."""
    return f"{LEASES}{target}"


def maintenance_key(scope: str, host: str) -> str:
    """`all` of a host means that host."""
    return f"{MAINTENANCE}{f'host/{host}' if scope == 'all' else scope}"


def free_numbers(keys: Sequence[KeyValue], prefix: str, most: int) -> list[int]:
    """Which numbers below `most` nobody holds."""
    taken = {kv.key.removeprefix(prefix) for kv in keys}
    return [number for number in range(most) if str(number) not in taken]


def spread(run: str, free: Sequence[int]) -> int:
    """One of them, so that hosts that come at once do not all want the first."""
    return free[int(hashlib.sha256(run.encode()).hexdigest(), 16) % len(free)]


def compares(claim: Claim, slot: int, start: int | None) -> list[Operation]:
    """What must hold in the very moment in which the claim is written."""
    absent = [f"{SLOTS}{slot}"]
    if claim.needs_lease:
        absent.append(lease_key(claim.target))
    if start is not None:
        absent.append(f"{STARTS}{start}")
    present = [self_key(claim.to)] if claim.to else []
    if not claim.is_approved:
        absent += [STORM, *_maintained(claim)]
        present.append(LEADER)
    return [created_at(key, 0) for key in absent] + [exists(key) for key in present]


def _maintained(claim: Claim) -> list[str]:
    scopes = dict.fromkeys((f"host/{claim.host}", claim.target, *((f"host/{claim.to}",) if claim.to else ())))
    return [f"{MAINTENANCE}{scope}" for scope in scopes]


def writes(claim: Claim, slot: int, start: int | None, leases: tuple[int, int]) -> list[Operation]:
    """`leases` of etcd: the one that lives as long as the run is carried out, and the one of the budget's window."""
    body: dict[str, Any] = {
        "host": claim.host,
        "run": claim.run,
        "target": claim.target,
        "action": claim.action,
    }
    text = json.dumps(body, separators=(",", ":"))
    puts = [put_operation(f"{SLOTS}{slot}", text)]
    if claim.needs_lease:
        puts.append(put_operation(lease_key(claim.target), text, leases[0]))
    if start is not None:
        puts.append(put_operation(f"{STARTS}{start}", text, leases[1]))
    return puts


def why_not(claim: Claim, found: dict[str, str]) -> Denied | None:
    """Words for the claim that cannot be written now; None where nothing is in its way, by what was read."""
    if claim.to and self_key(claim.to) not in found:
        return Denied("coordination", f"the agent of {claim.to} is not in the fleet, so nobody there checks a token")
    if claim.needs_lease and (holder := found.get(lease_key(claim.target))) is not None:
        return Denied("coordination", f"another run holds the lease on {claim.target}: {_who(holder)}")
    if claim.is_approved:
        return None
    if LEADER not in found:
        return Denied("coordination", "no hub leads the fleet, so nobody would see a storm")
    if STORM in found:
        return Denied("storm", f"too much fails at once in the fleet: {found[STORM]}")
    kept = next((found[key] for key in _maintained(claim) if key in found), None)
    return None if kept is None else Denied("maintenance", _words(kept))


def all_taken(claim: Claim, slots: Sequence[KeyValue]) -> Denied:
    """Every slot is held: each by a run that goes on, or by one that was not verified to have succeeded."""
    who = ", ".join(_who(kv.value) for kv in slots[:3])
    return Denied("budget", f"fleet: {len(slots)} of {claim.most_at_once} slot(s) are held: {who}")


def _words(text: str) -> str:
    try:
        return str(json.loads(text)["words"])
    except (ValueError, KeyError, TypeError):
        return text[:80]


def _who(text: str) -> str:
    try:
        body = json.loads(text)
        return f"{body['action']} on {body['host']} (run {body['run']})"
    except (ValueError, KeyError, TypeError):
        return text[:80]
