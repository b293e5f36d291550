"""Where everything about remediation comes together: troubles in, proposals, consents, runs, figures out."""

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence

from xenwatch.base.clock import Clock
from xenwatch.base.errors import InputError, StoreError
from xenwatch.model.action import (
    PENDING,
    UNDERWAY,
    ActionRun,
    Alert,
    EventKind,
    RemediationEvent,
    RemediationFigures,
    Trigger,
)
from xenwatch.model.incident import Incident
from xenwatch.model.subject import Subject
from xenwatch.remediation.action import Action
from xenwatch.remediation.dry_run import rehearse
from xenwatch.remediation.executor import US, Executor
from xenwatch.remediation.guards import approvals, breaker, budget, storm
from xenwatch.remediation.guards import kill_switch as switch
from xenwatch.remediation.guards.admission import Refusal
from xenwatch.remediation.guards.refusals import note_block, note_refusal
from xenwatch.remediation.machine.port import Machine
from xenwatch.remediation.planner import Draft, Planner
from xenwatch.remediation.policy.policy import Policy
from xenwatch.remediation.statistics import figures
from xenwatch.remediation.store import outbox
from xenwatch.remediation.store import triggers as trouble
from xenwatch.remediation.store.async_store import AsyncRunStore
from xenwatch.remediation.store.runs import RunLogEntry, RunStore
from xenwatch.remediation.store.transaction import Transaction

log = logging.getLogger(__name__)

_NONCE_SECONDS = 86400.0
_RETRY = frozenset({"precondition", "too_early", "max_targets", "every", "cause", "acknowledged"})
"""Stops of a draft that time may lift: the trouble is looked at again."""


class RemediationService:
    """The agent has one; the command line makes one of its own on the same journal."""

    def __init__(
        self, journal: RunStore, policy: Policy, actions: Mapping[str, Action], machine: Machine, clock: Clock
    ) -> None:
        self.policy, self._actions, self._clock = policy, actions, clock
        self._ledger = AsyncRunStore(journal)
        self._planner = Planner(policy, actions, journal, machine, clock)
        self._executor = Executor(policy, actions, self._ledger, machine, clock)
        self._underway: dict[str, asyncio.Task[None]] = {}
        self._draining = False
        self._said: dict[str, str] = {}

    # --- in: troubles and people

    async def take_incident(self, incident: Incident) -> None:
        """An incident changed: until it is resolved it is a trouble, with a known cause or without."""
        trigger = trouble.trigger_of(incident)
        if trigger.aliases:
            await self._ledger.write(lambda tx: trouble.replace_former(tx, trigger))
        if incident.state == "resolved" or incident.diagnosis.experimental:
            await self._ledger.write(lambda tx: trouble.over(tx, trigger))
        else:
            await self._ledger.write(lambda tx: trouble.note(tx, trigger))

    async def take_alerts(self, alerts: Sequence[Alert]) -> int:
        """One delivery from outside, committed before it is acknowledged; how many troubles were new."""
        return await self._ledger.write(lambda tx: trouble.take(tx, alerts, self.policy.inventory))

    async def first_use(self, nonce: str) -> bool:
        """Whether this nonce was never seen; it is now. Kept over restarts, longer than any signature is good for."""
        sql = "INSERT OR IGNORE INTO nonce VALUES(?,?)"
        return await self._ledger.write(lambda tx: tx.db.execute(sql, (nonce, tx.at)).rowcount > 0)

    async def note_failing(self, failing: Collection[str], watched: int) -> bool:
        """Which targets (subject keys) fail now, of how many watched; true while a storm is on."""
        return await self._ledger.write(lambda tx: storm.note_failing(tx, failing, watched, self.policy.storm))

    async def note_health(self, target: str, healthy: bool) -> None:
        """One sample of a target's health, for the pauses between actions on it."""
        await self.note_healths({target: healthy})

    async def note_healths(self, healthy: Mapping[str, bool]) -> None:
        """The same for many targets, with one commit."""

        def write(tx: Transaction) -> None:
            for target, well in healthy.items():
                budget.note_health(tx, target, well, self.policy.pace)

        await self._ledger.write(write)

    async def request(self, action: str, subject: Subject, params: Mapping[str, str], requester: str) -> ActionRun:
        """A person asks for an action; it is proposed, and waits for consent. InputError says why it cannot be."""
        draft = await self._planner.asked(action, subject, params, requester)
        alike = await self._ledger.read(lambda j: j.runs(*PENDING, *UNDERWAY, target=draft.trigger.target.key))
        if any(run.proposal.action == action for run in alike):
            raise InputError(f"{action} of {subject} is waiting or underway already")
        if draft.stop is not None or draft.proposal is None:
            raise InputError(f"{draft.stop.guard}: {draft.stop.reason}" if draft.stop else "nothing to do")
        run = await self._propose(draft)
        if run is None:
            raise InputError(f"{action} of {subject} was asked for already")
        return await self._ledger.read(lambda j: j.run(run))

    async def dry_run(self, draft: Draft, *, as_approved: bool = False) -> Refusal | None:
        """Which guard would stop a drafted run now; nothing is written, not even in the journal."""
        if draft.stop is not None or draft.proposal is None:
            return draft.stop
        proposal, cross_host = draft.proposal, self._actions[draft.proposal.action].cross_host
        return await rehearse(self._ledger, proposal, self.policy, cross_host=cross_host, as_approved=as_approved)

    async def draft(self, trigger: Trigger) -> Draft:
        """What would be done about a trouble."""
        return await self._planner.draft(trigger)

    async def draft_request(self, action: str, subject: Subject, params: Mapping[str, str], requester: str) -> Draft:
        """What would be done on a person's request."""
        return await self._planner.asked(action, subject, params, requester)

    async def approve(self, run: str, actor: str, plan_hash: str) -> ActionRun:
        """A person consents to the plan of this hash; the next tick starts it."""
        found = await self.run(run)
        await self._ledger.write(lambda tx: approvals.approve(tx, found, actor, plan_hash))
        return await self.run(found.id)

    async def reject(self, run: str, actor: str, reason: str) -> ActionRun:
        found = await self.run(run)
        await self._ledger.write(lambda tx: approvals.reject(tx, found, actor, reason))
        return await self.run(found.id)

    async def settle_unknown(self, run: str, actor: str, succeeded: bool, reason: str) -> ActionRun:
        """A person has looked and says how a run of unknown outcome ended."""
        found = await self.run(run)
        end = "succeeded" if succeeded else "failed"
        await self._ledger.write(lambda tx: tx.move(found.id, end, actor, reason))  # type: ignore[arg-type]
        return await self.run(found.id)

    async def turn(self, off: bool, actor: str, reason: str) -> None:
        """The kill switch."""
        await self._ledger.write(lambda tx: switch.turn(tx, off, actor, reason))

    async def close_breaker(self, actor: str, reason: str) -> None:
        """A person lets runs start again."""
        await self._ledger.write(lambda tx: breaker.close(tx, actor, reason))

    async def maintain(self, scope: str, owner: str, reason: str, seconds: float) -> None:
        """Maintenance for a while; 0 seconds end it."""
        longest = self.policy.maintenance_ttl
        if seconds:
            given = {"owner": owner, "reason": reason}
            await self._ledger.write(
                lambda tx: switch.start_maintenance(tx, scope, **given, seconds=seconds, longest=longest)
            )
        else:
            await self._ledger.write(lambda tx: switch.end_maintenance(tx, scope, owner))

    # --- the daily round

    async def recover(self) -> None:
        """Once, before the first tick."""
        await self._executor.recover()

    async def tick(self) -> None:
        """One round: what lapsed, what is new, what may start. StoreError: the journal failed, and nothing starts."""
        await self._ledger.write(self._expire)
        for trigger in await self._ledger.write(trouble.waiting):
            await self._consider(trigger)
        if self._draining:
            return
        for run in await self._ledger.read(lambda j: j.runs(*PENDING)):
            if run.id not in self._underway:
                self._underway[run.id] = asyncio.create_task(self._start(run))
        await asyncio.sleep(0)

    async def serve(self, every: float = 10.0) -> None:
        """Recover, then a round every so many seconds, until cancelled."""
        await self.recover()
        while True:
            await self.tick()
            await self._clock.sleep(every)

    async def idle(self) -> None:
        """Wait until every run underway has ended."""
        while self._underway:
            await asyncio.gather(*self._underway.values())

    async def drain(self) -> None:
        """Before the agent stops: nothing new starts, what is underway ends."""
        self._draining = True
        await self.idle()

    def close(self) -> None:
        self._ledger.close()

    # --- out

    async def run(self, run: str) -> ActionRun:
        return await self._ledger.read(lambda j: j.run(run))

    async def runs(self) -> list[ActionRun]:
        return await self._ledger.read(lambda j: j.runs())

    async def entries(self, run: str | None = None) -> list[RunLogEntry]:
        return await self._ledger.read(lambda j: j.entries(run))

    async def figures(self) -> RemediationFigures:
        return await self._ledger.write(lambda tx: figures(tx, self.policy, self._ledger.journal.slowest_commit))

    async def due_events(self) -> list[tuple[RemediationEvent, int]]:
        """Events to deliver now, with the attempts made."""
        return await self._ledger.write(outbox.due)

    async def event_delivered(self, event: str) -> None:
        await self._ledger.write(lambda tx: outbox.delivered(tx, event))

    async def event_put_off(self, event: str, pause: float) -> None:
        await self._ledger.write(lambda tx: outbox.put_off(tx, event, pause))

    # --- inside

    def _expire(self, tx: Transaction) -> None:
        marks = ",".join("?" * len(PENDING))
        sql = f"SELECT id FROM run WHERE state IN ({marks}) AND expires <= ?"  # noqa: S608 - marks only
        for (run,) in tx.db.execute(sql, (*PENDING, tx.at)).fetchall():
            if run not in self._underway:
                tx.move(run, "expired", US, "nobody consented in time")
                trouble.set_handled(tx, str(tx.one("SELECT trouble FROM run WHERE id=?", run)), False)
        trouble.forget_old(tx, _NONCE_SECONDS)

    async def _consider(self, trigger: Trigger) -> None:
        draft = await self._planner.draft(trigger)
        if draft.stop is None:
            await self._propose(draft)
            return
        stop = draft.stop
        if self._said.get(trigger.key) != stop.reason:
            self._said[trigger.key] = stop.reason
            kind: EventKind | None = "page" if stop.guard == "ladder" else None
            await self._ledger.write(lambda tx: note_refusal(tx, trigger, stop, kind))
        if stop.guard not in _RETRY:
            await self._ledger.write(lambda tx: trouble.set_handled(tx, trigger.key, True))

    async def _propose(self, draft: Draft) -> str | None:
        proposal = draft.proposal
        assert proposal is not None

        def write(tx: Transaction) -> str | None:
            trouble.set_handled(tx, draft.trigger.key, True)
            run = tx.add(proposal)
            if run is not None and proposal.needs_approval:
                tx.move(run, "awaiting_approval", US, "waits for a person")
                words = f"{proposal.action} of {proposal.target} is proposed"
                outbox.tell(tx, "proposed", run, words, {"plan": "\n".join(proposal.plan)})
            return run

        return await self._ledger.write(write)

    async def _start(self, run: ActionRun) -> None:
        try:
            stop = await self._executor.carry_out(run)
            if stop is not None:
                await self._ledger.write(lambda tx: note_block(tx, run, stop))
        except StoreError:
            log.exception("%s: the journal failed; nothing more is done for it", run.id)
        finally:
            self._underway.pop(run.id, None)
