"""A pool as an action sees it: a guest, a host or a repository of this moment, orders for them, shared checks."""

import json
from dataclasses import dataclass
from typing import Any

from xenwatch.base.errors import InputError
from xenwatch.remediation.action import Context, Finding, Verdict
from xenwatch.remediation.checks import finding, health_verdict
from xenwatch.remediation.machine.port import Order

QUESTION_SECONDS = 60.0
SOURCE = "xapi"
_RUNNING = "Running"


@dataclass(frozen=True, slots=True)
class PoolAnswer:
    """What a pool said; `told` is None where it did not answer, and `reason` says why."""

    told: dict[str, Any] | None
    reason: str = ""

    def usable_hosts(self) -> dict[str, str]:
        """Names by uuid of the hosts that guests may be put on."""
        hosts = (self.told or {}).get("hosts", {})
        return {uuid: str(host["name"]) for uuid, host in hosts.items() if host["usable"]}

    def host_name(self, uuid: str) -> str:
        return str((self.told or {}).get("hosts", {}).get(uuid, {}).get("name", uuid or "no host"))


def pool_of(context: Context) -> str:
    """InputError where the target is of no pool."""
    if not context.target.host:
        raise InputError(f"{context.target} is of no pool")
    return context.target.host


def pool_order(context: Context, call: str, *uuids: str, deadline: float) -> Order:
    """One operation of xapi's; that the uuids are such was its own word."""
    return Order((f"xapi:{pool_of(context)}", call, *uuids), deadline=deadline)


async def ask_pool(context: Context, question: str, about: str) -> PoolAnswer:
    """The answer to one of pool_questions.QUESTIONS."""
    answer = await context.read(f"xapi:{pool_of(context)}", question, about, deadline=QUESTION_SECONDS)
    return PoolAnswer(json.loads(answer.out)) if answer.ok else PoolAnswer(None, answer.summary)


async def the_guest(context: Context) -> PoolAnswer:
    """The guest that is acted on, by its uuid in the policy."""
    return await ask_pool(context, "guest", context.managed_guest.uuid)


def silent(answer: PoolAnswer) -> list[Finding]:
    """The finding where the pool does not answer: nothing is done on a guess."""
    return [Finding("pool", "unknown", f"the pool does not say: {answer.reason}", SOURCE)]


def ha_decides(told: dict[str, Any]) -> Finding:
    """Where high availability is armed and a guest is protected, its own plan says where the guest runs."""
    mine = not (told["ha_armed"] and told["ha_protected"])
    words = "high availability does not act on it" if mine else "high availability protects this guest, and decides"
    return finding("HA", mine, words, SOURCE)


def guest_findings(answer: PoolAnswer, operation: str, state: str) -> list[Finding]:
    """What must hold before any operation on a guest: its state, that xapi allows it, that nobody else is at it."""
    told = answer.told
    if told is None:
        return silent(answer)
    busy = told["operations"]
    words = f"under way: {', '.join(busy)}" if busy else "nothing else is under way"
    blocked = operation in told["blocked"]
    allowed = operation in told["allowed"] and not blocked
    said = "somebody has blocked" if blocked else "xapi allows" if allowed else "xapi does not allow"
    return [
        ha_decides(told),
        finding("state", bool(told["is_guest"]) and told["state"] == state, f"it is {told['state']}", SOURCE),
        finding("operations", not busy, words, SOURCE),
        finding("allowed", allowed, f"{said} {operation} now", SOURCE),
    ]


async def state_verdict(context: Context, state: str) -> Verdict:
    """Whether the guest has reached a state, whatever became of the task."""
    answer = await the_guest(context)
    if answer.told is None:
        return Verdict(None, f"the pool does not say: {answer.reason}")
    told = answer.told
    where = f" on {answer.host_name(told['on'])}" if told["on"] else ""
    if told["state"] != state or told["operations"]:
        under_way = f", and {', '.join(told['operations'])} is under way" if told["operations"] else ""
        return Verdict(False, f"{told['name']} is {told['state']}{where}{under_way}")
    verdict = await health_verdict(context) if state == _RUNNING else Verdict(True, "")
    return verdict if not verdict.met else Verdict(True, f"{told['name']} is {state}{where}")
