"""Remediation over HTTP: whoever may read sees the runs; approvals and refusals need a user with a token."""

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from aiohttp import web

from xenwatch.base.errors import InputError, StoreError
from xenwatch.model.action import ActionRun, RemediationOverview
from xenwatch.web.auth import User, authorise, token_of
from xenwatch.web.body import json_object

_LARGEST = 16 * 1024

T = TypeVar("T")


class RunStoreEntry(Protocol):
    """One line of the run store: what changed, who did it, and why."""

    @property
    def seq(self) -> int: ...
    @property
    def run(self) -> str | None: ...
    @property
    def kind(self) -> str: ...
    @property
    def old(self) -> str | None: ...
    @property
    def new(self) -> str | None: ...
    @property
    def actor(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def facts(self) -> Mapping[str, Any]:
        """A JSON object."""
        ...

    @property
    def wall(self) -> float: ...
    @property
    def at(self) -> float: ...


class RemediationApi(Protocol):
    """What the handlers ask of remediation. InputError: it cannot be done; StoreError: nothing can be stored now."""

    async def runs(self) -> Sequence[ActionRun]: ...

    async def run(self, run: str) -> ActionRun: ...

    async def entries(self, run: str | None = None) -> Sequence[RunStoreEntry]: ...

    async def approve(self, run: str, actor: str, plan_hash: str, token: str = "") -> ActionRun: ...

    async def reject(self, run: str, actor: str, reason: str) -> ActionRun: ...

    async def turn(self, off: bool, actor: str, reason: str, token: str = "") -> None: ...


class RemediationSite(RemediationApi, Protocol):
    """What the pages ask of it besides."""

    async def overview(self) -> RemediationOverview: ...

    async def latest_entries(self, limit: int) -> Sequence[RunStoreEntry]: ...


def routes(service: RemediationApi, users: Sequence[User]) -> list[web.RouteDef]:
    """`/api/v1/remediation/…`. What changes anything is POST with a token: a link that is only fetched does nothing."""

    async def runs(request: web.Request) -> web.Response:
        authorise(request, users, "viewer")
        return web.json_response({"runs": [run_json(run) for run in await _result(service.runs())]})

    async def run_with_entries(request: web.Request) -> web.Response:
        authorise(request, users, "viewer")
        run = await _result(service.run(request.match_info["run"]))
        entries = await _result(service.entries(run.id))
        return web.json_response(run_json(run) | {"journal": [entry_json(entry) for entry in entries]})

    async def approve(request: web.Request) -> web.Response:
        actor, body = authorise(request, users, "approver"), await json_object(request, _LARGEST)
        plan_hash, token = str(body.get("plan_hash", "")), token_of(request)
        run = await _result(service.approve(request.match_info["run"], actor, plan_hash, token))
        return web.json_response(run_json(run))

    async def reject(request: web.Request) -> web.Response:
        actor, body = authorise(request, users, "approver"), await json_object(request, _LARGEST)
        run = await _result(service.reject(request.match_info["run"], actor, str(body.get("reason", ""))[:500]))
        return web.json_response(run_json(run))

    async def switch(request: web.Request) -> web.Response:
        actor, body = authorise(request, users, "admin"), await json_object(request, _LARGEST)
        if not isinstance(body.get("off"), bool) or not body.get("reason"):
            raise web.HTTPBadRequest(text='the body must be {"off": true or false, "reason": "why"}')
        await _result(service.turn(body["off"], actor, str(body["reason"])[:500], token_of(request)))
        return web.json_response({"off": body["off"]})

    base = "/api/v1/remediation"
    return [
        web.get(f"{base}/runs", runs),
        web.get(f"{base}/runs/{{run}}", run_with_entries),
        web.post(f"{base}/runs/{{run}}/approve", approve),
        web.post(f"{base}/runs/{{run}}/reject", reject),
        web.post(f"{base}/switch", switch),
    ]


async def _result(answer: Awaitable[T]) -> T:
    """400 with the reason where it cannot be done; 503 where the run store cannot be used."""
    try:
        return await answer
    except InputError as error:
        raise web.HTTPBadRequest(text=str(error)) from None
    except StoreError as error:
        raise web.HTTPServiceUnavailable(text=str(error)) from None


def run_json(run: ActionRun) -> dict[str, Any]:
    """A run as programs read it, here and from the command line. `created`: seconds since 1970."""
    proposal = run.proposal
    return {
        "id": run.id, "state": run.state, "action": proposal.action, "target": str(proposal.target),
        "uuid": proposal.target.uuid, "params": dict(proposal.params), "rule": proposal.rule, "risk": proposal.risk,
        "mode": proposal.mode, "plan": list(proposal.plan), "plan_hash": proposal.plan_hash, "reason": run.reason,
        "requester": proposal.requester, "four_eyes": proposal.four_eyes, "created": run.wall,
    }  # fmt: skip


def entry_json(entry: RunStoreEntry) -> dict[str, Any]:
    """One line of a run's history. `wall`: seconds since 1970; `at`: seconds of the run store's own time."""
    return {
        "seq": entry.seq, "run": entry.run, "kind": entry.kind, "old": entry.old, "new": entry.new,
        "actor": entry.actor, "reason": entry.reason, "facts": dict(entry.facts), "wall": entry.wall, "at": entry.at,
    }  # fmt: skip
