"""Answers the agent: carries out the next order of a run that may act, and takes the consent of a person to a plan."""

import asyncio
import hashlib
import hmac
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from xenwatch.base.clock import Clock
from xenwatch.base.errors import InputError, XenwatchError
from xenwatch.base.printed_text import one_line
from xenwatch.effects.acting import ActingRun, planned
from xenwatch.effects.brakes import require_calm, require_closed, require_on
from xenwatch.effects.ledger import Ledger
from xenwatch.effects.permission import budget_of, permit, require_executing
from xenwatch.effects.record import RunRecord
from xenwatch.effects.settings import Approver
from xenwatch.effects.stored_run import StoredRuns
from xenwatch.host.privileged.server import LocalPeer
from xenwatch.host.privileged.wire import field_of, only
from xenwatch.remediation.action import Action, Context, Step
from xenwatch.remediation.machine.port import Machine, Order
from xenwatch.remediation.policy.policy import Policy

log = logging.getLogger(__name__)

_RUN = re.compile(r"[0-9a-f]{8,20}-[0-9a-f]{8}")
_HASH = re.compile(r"[0-9a-f]{64}")
_TARGET = re.compile(r"[a-z]+/[\w.:+-]{1,200}")
_DECIDE_SECONDS = 600.0
"""Longest time for the checks before an order: some watch a guest for a minute."""
_MOST_RUNS = 32
_OUTPUT, _ERRORS = 8 * 1024, 8 * 1024


class EffectsService:
    """Decides one order at a time; orders of different runs may then run beside each other, as the policy allows."""

    def __init__(
        self,
        policy: Callable[[], Policy],
        approvers: Callable[[], tuple[Approver, ...]],
        stored: StoredRuns,
        ledger: Ledger,
        actions: Mapping[str, Action],
        machine: Callable[[Policy], Machine],
        clock: Clock,
    ) -> None:
        """`policy` and `approvers` read what an administrator wrote; XenwatchError where it cannot be used."""
        self._policy, self._approvers, self._stored, self._ledger = policy, approvers, stored, ledger
        self._actions, self._machine, self._clock = actions, machine, clock
        self._acting: dict[str, ActingRun] = {}
        self._deciding = asyncio.Lock()

    async def answer(self, peer: LocalPeer, message: Mapping[str, Any]) -> Mapping[str, Any]:
        """XenwatchError: refused, and why."""
        asked: Mapping[str, Callable[[LocalPeer, Mapping[str, Any]], Awaitable[Mapping[str, Any]]]] = {
            "ping": self._ping, "consent": self._consent, "effect": self._effect,
            "announce": self._announce, "switch": self._switch, "close-breaker": self._close_breaker,
        }  # fmt: skip
        word = field_of(message, "do", str)
        if word not in asked:
            raise InputError(f"there is no {word[:40]!r}")
        return await asked[word](peer, message)

    async def _ping(self, _: LocalPeer, message: Mapping[str, Any]) -> Mapping[str, Any]:
        only(message, "do")
        return {"policy": self._policy().hash}

    async def _consent(self, peer: LocalPeer, message: Mapping[str, Any]) -> Mapping[str, Any]:
        """Root consents by being root; somebody else's consent comes with the token that only that person has."""
        only(message, "do", "run", "plan_hash", "who", "token")
        run, plan = _matching(message, "run", _RUN), _matching(message, "plan_hash", _HASH)
        who = self._person(peer, message)
        if self._ledger.begun(run):
            raise InputError("the run was begun before")
        self._ledger.consent(run, plan, who)
        log.info("%s consented to the plan %s of run %s", one_line(who), plan[:12], run)
        return {"who": who}

    async def _switch(self, peer: LocalPeer, message: Mapping[str, Any]) -> Mapping[str, Any]:
        """Anybody who may ask at all may switch it off, since that only ends what may be asked; a person, on again."""
        only(message, "do", "off", "who", "token")
        off = field_of(message, "off", bool)
        who = field_of(message, "who", str)[:100] if off else self._person(peer, message)
        if off != bool(self._ledger.off_by):
            self._ledger.switch(off=off, who=who or peer.name)
            log.info("%s switched remediation %s", one_line(who), "off" if off else "on")
        return {"off": off}

    async def _close_breaker(self, peer: LocalPeer, message: Mapping[str, Any]) -> Mapping[str, Any]:
        only(message, "do", "who", "token")
        who = self._person(peer, message)
        self._ledger.close_breaker(who)
        log.info("%s closed the circuit breaker", one_line(who))
        return {"who": who}

    def _person(self, peer: LocalPeer, message: Mapping[str, Any]) -> str:
        """Root is a person by being root; another one is known by the token that only that person has."""
        who, token = field_of(message, "who", str)[:100], field_of(message, "token", str)
        return _approver(token, self._approvers()) if peer.uid != 0 or token else who

    async def _announce(self, _: LocalPeer, message: Mapping[str, Any]) -> Mapping[str, Any]:
        """A token changes nothing but who may act on a target from then on; the agent could refuse to act as well."""
        only(message, "do", "target", "lease", "host")
        target, lease = _matching(message, "target", _TARGET), field_of(message, "lease", int)
        answer = await self._machine(self._policy()).announce(target, lease, field_of(message, "host", str))
        return {"code": answer.code, "out": "", "err": answer.err[-_ERRORS:]}

    async def _effect(self, _: LocalPeer, message: Mapping[str, Any]) -> Mapping[str, Any]:
        only(message, "do", "run", "order", "action", "expects", "lease")
        lease = field_of(message, "lease", int) if "lease" in message else 0
        run, number = _matching(message, "run", _RUN), field_of(message, "order", int)
        expects, action = field_of(message, "expects", str), field_of(message, "action", str)
        if action not in self._actions:
            raise InputError(f"there is no action {action[:80]!r}")
        try:
            async with self._deciding, asyncio.timeout(_DECIDE_SECONDS):
                acting, order = await self._decide(run, number, action, expects)
        except TimeoutError:
            raise InputError(f"the checks before the order took over {_DECIDE_SECONDS:g} s") from None
        return await self._carry_out(acting, number, replace(order, lease=lease))

    async def _decide(self, run: str, number: int, action: str, expects: str) -> tuple[ActingRun, Order]:
        record = await self._stored.find(run)
        require_executing(record)
        if self._ledger.is_open(run):
            raise InputError("an order of this run was begun, and how it ended is not known")
        if number != self._ledger.begun(run):
            raise InputError(f"order {number} is not the next one of this run, which is {self._ledger.begun(run)}")
        if len(record.intents) != number + 1 or record.outcomes != number or record.intents[-1] != expects:
            raise InputError("the run store tells of another order than the one that is asked for")
        acting = await self._begin(record, action) if number == 0 else self._known(record, action)
        _, order = await self._next_order(acting)
        if order.description != expects:
            raise InputError(f"the order that comes now is another one: {order.description[:200]}")
        if number == 0:
            self._ledger.start(acting.start)
            self._remember(acting)
        self._ledger.begin(run, number, order.target, order.token, order.description)
        acting.taken()
        acting.busy = True
        return acting, order

    async def _next_order(self, acting: ActingRun) -> tuple[Step, Order]:
        """The one that comes now. That the one before is not confirmed is a failure of the run, which is kept."""
        had_failed = bool(acting.failed)
        try:
            return await acting.next_order()
        finally:
            if acting.failed and not had_failed:
                self._ledger.fail(acting.record.run)

    async def _begin(self, record: RunRecord, name: str) -> ActingRun:
        policy, action = self._policy(), self._actions[name]
        if record.action != name:
            raise InputError(f"the run is for {record.action}")
        require_on(self._ledger)
        repairs = {name for name, one in self._actions.items() if one.repairs}
        permitted = permit(record, action, policy, self._ledger, self._clock.now(), repairs)
        active = [acting.start for acting in self._acting.values() if acting.busy]
        if not permitted.consented:
            require_closed(action, policy, self._ledger, {start.run for start in active})
            require_calm(record, policy, self._ledger, repairs)
        start = budget_of(record, action, policy, self._ledger, active)
        context = Context(
            self._machine(policy), self._clock, policy, record.target, permitted.guest, record.params, record.run,
            approved=permitted.consented,
        )  # fmt: skip
        return await planned(record, action, context, start)

    def _known(self, record: RunRecord, action: str) -> ActingRun:
        acting = self._acting.get(record.run)
        if acting is None:
            raise InputError("the run was begun before, and what it had reached is not known here any more")
        before = acting.record
        if (record.action, action) != (before.action, before.action) or record.plan_hash != before.plan_hash:
            raise InputError("the run is not what it was when it began")
        return acting

    def _remember(self, acting: ActingRun) -> None:
        for run, other in list(self._acting.items()):
            if len(self._acting) >= _MOST_RUNS and not other.busy:
                del self._acting[run]
        self._acting[acting.record.run] = acting

    async def _carry_out(self, acting: ActingRun, number: int, order: Order) -> Mapping[str, Any]:
        run = acting.record.run
        log.info("run %s, order %d: %s", run, number, order.description)
        try:
            answer = await acting.context.machine.effect(order)
        except XenwatchError as error:
            acting.failed = str(error)
            raise
        finally:
            acting.busy = False
        if not answer.ok:
            acting.failed = answer.summary
        self._ledger.end(run, number, answer.summary, ok=answer.ok)
        log.info("run %s, order %d: %s", run, number, one_line(answer.summary))
        return {"code": answer.code, "out": answer.out[-_OUTPUT:], "err": answer.err[-_ERRORS:]}


def _matching(message: Mapping[str, Any], key: str, form: re.Pattern[str]) -> str:
    text = field_of(message, key, str)
    if not form.fullmatch(text):
        raise InputError(f"{key} has another form")
    return text


def _approver(token: str, approvers: tuple[Approver, ...]) -> str:
    given = token.encode("utf-8", "surrogateescape")
    digest = hashlib.sha256(given).hexdigest()
    for approver in approvers:
        plain = bool(approver.token) and hmac.compare_digest(given, approver.token.encode())
        if plain or hmac.compare_digest(digest, approver.token_sha256.lower() or "-"):
            return approver.name
    raise InputError("nobody who may consent has this token")
