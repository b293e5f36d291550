"""Brings all of remediation together: incidents and alerts in; proposals, approvals, runs and statistics out."""

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence

from xenwatch.base.clock import Clock
from xenwatch.base.errors import InputError, StoreError
from xenwatch.model.action import (
    ACTIVE,
    AGENT,
    PENDING,
    ActionRun,
    Alert,
    EventKind,
    RemediationEvent,
    RemediationOverview,
    RemediationStatistics,
    RunState,
    Trigger,
)
from xenwatch.model.coordination import Alone, Coordinator
from xenwatch.model.incident import Incident
from xenwatch.model.subject import Subject
from xenwatch.remediation.action import Action
from xenwatch.remediation.dry_run import dry_run
from xenwatch.remediation.executor import Executor
from xenwatch.remediation.guards import approvals, breaker, cooldown, kill_switch, storm
from xenwatch.remediation.guards.admission import Refusal
from xenwatch.remediation.guards.refusals import record_block, record_refusal
from xenwatch.remediation.housekeeping import expire, tell_fleet
from xenwatch.remediation.machine.apart import EffectsGate
from xenwatch.remediation.machine.port import Machine
from xenwatch.remediation.overview import overview
from xenwatch.remediation.planner import Draft, Planner, proposal_of
from xenwatch.remediation.policy.policy import Policy
from xenwatch.remediation.statistics import statistics
from xenwatch.remediation.store import nonces, outbox, runs, triggers
from xenwatch.remediation.store.async_store import AsyncRunStore
from xenwatch.remediation.store.entries import Head, RunLogEntry, entries_of, head, latest_entries
from xenwatch.remediation.store.run_store import RunStore
from xenwatch.remediation.store.transaction import Transaction

log = logging.getLogger(__name__)

_START_EVERY = 50
_TEMPORARY = frozenset({"precondition", "too_early", "max_targets", "every", "cause", "acknowledged"})
"""Refusals that may pass with time: the trigger is considered again."""


class RemediationService:
    """The agent has one; the command line makes one of its own on the same run store."""

    def __init__(
        self,
        store: RunStore,
        policy: Policy,
        actions: Mapping[str, Action],
        machine: Machine,
        clock: Clock,
        gate: EffectsGate | None = None,
        coordinator: Coordinator | None = None,
    ) -> None:
        self.gate = gate
        self.policy, self._actions, self._clock = policy, actions, clock
        self._store, self._fleet = AsyncRunStore(store), coordinator or Alone()
        self._planner = Planner(policy, actions, self._store, machine, clock, is_fleet=self._fleet.is_fleet)
        self._executor = Executor(policy, actions, self._store, machine, clock, gate, self._fleet)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._draining = False
        self._last_refusal: dict[str, str] = {}

    # --- in: incidents, alerts and people

    async def take_incident(self, incident: Incident) -> None:
        """An incident changed: until it is resolved it is a trigger, with a cause or without."""
        trigger = triggers.trigger_of_incident(incident)
        if trigger.aliases:
            await self._store.write(lambda transaction: triggers.resolve_former(transaction, trigger))
        if incident.state == "resolved" or incident.diagnosis.experimental:
            await self._store.write(lambda transaction: triggers.resolve(transaction, trigger))
        else:
            await self._store.write(lambda transaction: triggers.record(transaction, trigger))

    async def take_alerts(self, alerts: Sequence[Alert]) -> int:
        """One delivery from outside, committed before it is acknowledged; how many of its alerts were new."""
        return await self._store.write(
            lambda transaction: triggers.record_alerts(transaction, alerts, self.policy.inventory)
        )

    async def first_use(self, nonce: str) -> bool:
        """Whether this nonce is new; it is kept over restarts, for longer than a signature is valid."""
        return await self._store.write(lambda transaction: nonces.first_use(transaction, nonce))

    async def note_failing(self, failing: Collection[str], watched: int) -> bool:
        """Which targets (subject keys) fail now, of how many watched; true during a storm."""
        return await self._store.write(
            lambda transaction: storm.record_failing(transaction, failing, watched, self.policy.storm)
        )

    async def note_healths(self, healthy: Mapping[str, bool]) -> None:
        """One sample of the health of each target, for the pauses between actions on it."""

        def write(transaction: Transaction) -> None:
            for target, is_healthy in healthy.items():
                cooldown.record_health(transaction, target, is_healthy, self.policy.cooldown)

        await self._store.write(write)

    async def request(self, action: str, subject: Subject, params: Mapping[str, str], requester: str) -> ActionRun:
        """A person requests an action; it is proposed, and waits for approval. InputError: it is not possible."""
        draft = await self._planner.requested(action, subject, params, requester)
        target = draft.trigger.target.key
        open_runs = await self._store.read(lambda view: runs.select(view, *PENDING, *ACTIVE, target=target))
        if any(run.proposal.action == action for run in open_runs):
            raise InputError(f"{action} of {subject} is already waiting or running")
        if draft.refusal is not None:
            raise InputError(f"{draft.refusal.guard}: {draft.refusal.reason}")
        run_id = await self._propose(draft.trigger, draft)
        if run_id is None:
            raise InputError(f"{action} of {subject} was already requested")
        return await self.run(run_id)

    async def dry_run(self, draft: Draft, *, as_approved: bool = False) -> Refusal | None:
        """Which guard would refuse a drafted run now; nothing is written, not even in the run store."""
        if draft.refusal is not None:
            return draft.refusal
        proposal = proposal_of(draft)
        means = self._store, proposal, self._actions[proposal.action], self.policy
        return await dry_run(*means, as_approved=as_approved, is_fleet=self._fleet.is_fleet)

    async def draft(self, trigger: Trigger) -> Draft:
        """What would be done about a trigger."""
        return await self._planner.draft(trigger)

    async def draft_request(self, action: str, subject: Subject, params: Mapping[str, str], requester: str) -> Draft:
        """What would be done on a person's request."""
        return await self._planner.requested(action, subject, params, requester)

    async def approve(self, run: str, actor: str, plan_hash: str, token: str = "") -> ActionRun:
        """A person approves the plan with this hash; the next tick starts it. `token`: that the person gave."""
        stored = await self.run(run)
        approvals.require_as_shown(stored, actor, plan_hash, self.policy.inventory)
        if self.gate is not None and not self._actions[stored.proposal.action].of_pool:
            await self.gate.consent(stored.id, plan_hash, actor, token)
        await self._store.write(lambda transaction: approvals.approve(transaction, stored, actor, plan_hash))
        return await self.run(stored.id)

    async def reject(self, run: str, actor: str, reason: str) -> ActionRun:
        stored = await self.run(run)
        await self._store.write(lambda transaction: approvals.reject(transaction, stored, actor, reason))
        return await self.run(stored.id)

    async def settle_unknown(self, run: str, actor: str, succeeded: bool, reason: str) -> ActionRun:
        """A person has checked the target and states how a run of unknown outcome ended."""
        stored = await self.run(run)
        end: RunState = "succeeded" if succeeded else "failed"
        await self._store.write(lambda transaction: runs.move(transaction, stored.id, end, actor, reason))
        return await self.run(stored.id)

    async def turn(self, off: bool, actor: str, reason: str, token: str = "") -> None:
        """The kill switch. Off it is here whatever the effects helper says; on it is only where that agrees."""
        if off:
            await self._store.write(lambda transaction: kill_switch.turn(transaction, True, actor, reason))
        if self.gate is not None:
            await self.gate.switch(off, actor, token)
        if not off:
            await self._store.write(lambda transaction: kill_switch.turn(transaction, False, actor, reason))

    async def close_breaker(self, actor: str, reason: str) -> None:
        """A person lets runs start again."""
        if self.gate is not None:
            await self.gate.close_breaker(actor, "")
        await self._store.write(lambda transaction: breaker.close(transaction, actor, reason))

    async def maintain(self, scope: str, owner: str, reason: str, seconds: float) -> None:
        """Start maintenance for a while; 0 seconds end it."""
        given = kill_switch.Maintenance(scope, owner, reason, seconds, self.policy.maintenance_ttl)
        await self._store.write(lambda transaction: kill_switch.maintain(transaction, given))

    # --- the rounds

    async def recover(self) -> None:
        """Once, before the first tick."""
        await self._executor.recover()

    async def tick(self) -> None:
        """One round: what expired, what is new, what may start. StoreError: the store failed, and nothing starts."""
        await self._store.write(lambda transaction: expire(transaction, self._tasks))
        await tell_fleet(self._fleet, self._store, self._clock)
        for number, trigger in enumerate(await self._store.write(triggers.unhandled), start=1):
            await self._consider(trigger)
            if number % _START_EVERY == 0:  # a flood of hints does not keep what is decided from starting
                await self._start_pending()
        await self._start_pending()

    async def _start_pending(self) -> None:
        if self._draining:
            return
        for run in await self._store.read(lambda view: runs.select(view, *PENDING)):
            if run.id not in self._tasks:
                self._tasks[run.id] = asyncio.create_task(self._start(run))
        await asyncio.sleep(0)

    async def serve(self, every: float = 10.0) -> None:
        """Recover, then do a round every so many seconds, until cancelled."""
        await self.recover()
        while True:
            await self.tick()
            await self._clock.sleep(every)

    async def idle(self) -> None:
        """Wait until every active run has ended."""
        while self._tasks:
            await asyncio.gather(*self._tasks.values())

    async def drain(self) -> None:
        """Before the agent stops: nothing new starts, and active runs end."""
        self._draining = True
        await self.idle()

    def close(self) -> None:
        self._store.close()

    # --- out

    async def run(self, run: str) -> ActionRun:
        return await self._store.read(lambda view: runs.find(view, run))

    async def runs(self) -> list[ActionRun]:
        return await self._store.read(runs.select)

    async def entries(self, run: str | None = None) -> list[RunLogEntry]:
        return await self._store.read(lambda view: entries_of(view, run))

    async def head(self) -> Head:
        """The newest entry of the record and its hash."""
        return await self._store.read(head)

    async def statistics(self) -> RemediationStatistics:
        return await self._store.read(lambda view: statistics(view, self.policy, self._store.slowest_commit))

    async def overview(self) -> RemediationOverview:
        """What a person sees of it at one moment."""
        return await self._store.read(lambda view: overview(view, self.policy, self._store.slowest_commit))

    async def latest_entries(self, limit: int) -> list[RunLogEntry]:
        """The last lines of the record, the youngest first."""
        return await self._store.read(lambda view: latest_entries(view, limit))

    async def due_events(self) -> list[tuple[RemediationEvent, int]]:
        """Events to deliver now, with the attempts made so far."""
        return await self._store.write(outbox.due)

    async def event_delivered(self, event: str) -> None:
        await self._store.write(lambda transaction: outbox.mark_delivered(transaction, event))

    async def event_put_off(self, event: str, pause: float) -> None:
        await self._store.write(lambda transaction: outbox.postpone(transaction, event, pause))

    # --- inside

    async def _consider(self, trigger: Trigger) -> None:
        draft = await self._planner.draft(trigger)
        refusal = draft.refusal
        if refusal is None:
            await self._propose(trigger, draft)
            return
        if self._last_refusal.get(trigger.key) != refusal.reason:
            self._last_refusal[trigger.key] = refusal.reason
            kind: EventKind | None = "page" if refusal.guard == "ladder" else None
            await self._store.write(lambda transaction: record_refusal(transaction, trigger, refusal, kind))
        if refusal.guard not in _TEMPORARY:
            await self._store.write(lambda transaction: triggers.set_handled(transaction, trigger.key, True))

    async def _propose(self, trigger: Trigger, draft: Draft) -> str | None:
        proposal = proposal_of(draft)
        findings = [(finding.check, finding.outcome, finding.detail) for finding in draft.findings]

        def write(transaction: Transaction) -> str | None:
            triggers.set_handled(transaction, trigger.key, True)
            run = runs.add(transaction, proposal, findings)
            if run is not None and proposal.needs_approval:
                runs.move(transaction, run, "awaiting_approval", AGENT, "waits for a person")
                summary = f"{proposal.action} of {proposal.target} is proposed"
                outbox.enqueue(transaction, "proposed", run, summary, {"plan": "\n".join(proposal.plan)})
            return run

        return await self._store.write(write)

    async def _start(self, run: ActionRun) -> None:
        try:
            refusal = await self._executor.carry_out(run)
            if refusal is not None:
                await self._store.write(lambda transaction: record_block(transaction, run, refusal))
        except StoreError:
            log.exception("%s: the run store failed; nothing more is done for this run", run.id)
        finally:
            self._tasks.pop(run.id, None)
