"""The remediation service in force, for callers that outlive a reload of the policy."""

from collections.abc import Sequence

from xenwatch.model.action import ActionRun, Alert, RemediationEvent, RemediationOverview
from xenwatch.remediation.service import RemediationService
from xenwatch.remediation.store.entries import RunLogEntry


class ActiveService:
    """Answers the web and the notifiers from `current`, which a reload replaces."""

    def __init__(self, service: RemediationService) -> None:
        self.current = service

    async def runs(self) -> list[ActionRun]:
        return await self.current.runs()

    async def run(self, run: str) -> ActionRun:
        return await self.current.run(run)

    async def entries(self, run: str | None = None) -> list[RunLogEntry]:
        return await self.current.entries(run)

    async def overview(self) -> RemediationOverview:
        return await self.current.overview()

    async def latest_entries(self, limit: int) -> list[RunLogEntry]:
        return await self.current.latest_entries(limit)

    async def approve(self, run: str, actor: str, plan_hash: str, token: str = "") -> ActionRun:
        return await self.current.approve(run, actor, plan_hash, token)

    async def reject(self, run: str, actor: str, reason: str) -> ActionRun:
        return await self.current.reject(run, actor, reason)

    async def turn(self, off: bool, actor: str, reason: str, token: str = "") -> None:
        await self.current.turn(off, actor, reason, token)

    async def take_alerts(self, alerts: Sequence[Alert]) -> int:
        return await self.current.take_alerts(alerts)

    async def first_use(self, nonce: str) -> bool:
        return await self.current.first_use(nonce)

    async def due_events(self) -> list[tuple[RemediationEvent, int]]:
        return await self.current.due_events()

    async def event_delivered(self, event: str) -> None:
        await self.current.event_delivered(event)

    async def event_put_off(self, event: str, pause: float) -> None:
        await self.current.event_put_off(event, pause)
