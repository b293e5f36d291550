"""Remediation over HTTP: runs to look at for whoever may read, consents and refusals for persons with a token."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Protocol

from aiohttp import web

from xenwatch.base.errors import InputError, StoreError
from xenwatch.model.action import ActionRun
from xenwatch.web.auth import User, person
from xenwatch.web.body import json_object

_LARGEST = 16 * 1024


class RemediationApi(Protocol):
    """What the handlers ask."""

    async def runs(self) -> list[ActionRun]: ...

    async def run(self, run: str) -> ActionRun: ...

    async def entries(self, run: str | None = None) -> Sequence[Any]: ...

    async def approve(self, run: str, actor: str, plan_hash: str) -> ActionRun: ...

    async def reject(self, run: str, actor: str, reason: str) -> ActionRun: ...

    async def turn(self, off: bool, actor: str, reason: str) -> None: ...


def routes(desk: RemediationApi, people: Sequence[User]) -> list[web.RouteDef]:
    """`/api/v1/remediation/…`. What changes anything is POST with a token: a link that is only fetched does nothing."""

    async def runs(request: web.Request) -> web.Response:
        person(request, people, "viewer")
        return web.json_response({"runs": [run_json(run) for run in await desk.runs()]})

    async def one(request: web.Request) -> web.Response:
        person(request, people, "viewer")
        run = await _answered(desk.run(request.match_info["run"]))
        return web.json_response(run_json(run) | {"journal": [asdict(entry) for entry in await desk.entries(run.id)]})

    async def approve(request: web.Request) -> web.Response:
        actor, said = person(request, people, "approver"), await json_object(request, _LARGEST)
        run = await _answered(desk.approve(request.match_info["run"], actor, str(said.get("plan_hash", ""))))
        return web.json_response(run_json(run))

    async def reject(request: web.Request) -> web.Response:
        actor, said = person(request, people, "approver"), await json_object(request, _LARGEST)
        run = await _answered(desk.reject(request.match_info["run"], actor, str(said.get("reason", ""))[:500]))
        return web.json_response(run_json(run))

    async def switch(request: web.Request) -> web.Response:
        actor, said = person(request, people, "admin"), await json_object(request, _LARGEST)
        if not isinstance(said.get("off"), bool) or not said.get("reason"):
            raise web.HTTPBadRequest(text="off (true or false) and reason are needed")
        await _answered(desk.turn(said["off"], actor, str(said["reason"])[:500]))
        return web.json_response({"off": said["off"]})

    base = "/api/v1/remediation"
    return [
        web.get(f"{base}/runs", runs),
        web.get(f"{base}/runs/{{run}}", one),
        web.post(f"{base}/runs/{{run}}/approve", approve),
        web.post(f"{base}/runs/{{run}}/reject", reject),
        web.post(f"{base}/switch", switch),
    ]


async def _answered(work: Any) -> Any:
    """400 with the reason where it cannot be; 503 where the journal is not to be used."""
    try:
        return await work
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
