"""What remediation did, does and proposes; a person who is signed in approves, rejects, and turns the kill switch."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from aiohttp import web

from xenwatch.base.errors import InputError, StoreError
from xenwatch.model.action import PENDING, ActionRun, RemediationOverview
from xenwatch.web.auth import User, actor_name
from xenwatch.web.context import CONTEXT
from xenwatch.web.remediation_api import RemediationSite, RunStoreEntry
from xenwatch.web.sessions import SESSIONS
from xenwatch.web.site.forms import FormFields, form
from xenwatch.web.site.page import page

_SEARCHED = 5000
"""Lines of the audit, the youngest, that are searched."""
_MOST_LINES = 200
RISK_WORDS: Mapping[str, str] = {
    "L0": "reads only",
    "L1": "can be undone",
    "L2": "may interrupt a guest",
    "L3": "may lose data or service",
    "L4": "is never done automatically",
}


async def overview(request: web.Request) -> web.Response:
    """What waits for consent with its whole plan, what runs, budgets, the kill switch, and what ended lately."""
    service = request.app[CONTEXT].remediation
    if service is None:
        return page(request, "remediation.html", view=None, cards=[], risk_words=RISK_WORDS)
    try:
        view = await service.overview()
        cards = [await _card(service, run, view) for run in view.waiting]
    except StoreError as error:
        return page(request, "refused.html", 503, why=str(error))
    return page(request, "remediation.html", view=view, cards=cards, risk_words=RISK_WORDS)


async def one_run(request: web.Request) -> web.Response:
    """One run: its plan, what was checked, and each step with who took it."""
    service, wanted = request.app[CONTEXT].remediation, request.match_info["run"]
    if service is None:
        return page(request, "gone.html", 404, what=f"run {wanted[:80]}: remediation is off")
    try:
        run = await service.run(wanted)
        card = await _card(service, run, await service.overview())
    except InputError:
        return page(request, "gone.html", 404, what=f"run {wanted[:80]}")
    except StoreError as error:
        return page(request, "refused.html", 503, why=str(error))
    return page(request, "run.html", card=card, risk_words=RISK_WORDS)


async def audit(request: web.Request) -> web.Response:
    """The record of every decision and effect; `q` searches in all that stands in a line."""
    service, words = request.app[CONTEXT].remediation, request.query.get("q", "").strip()[:200]
    if service is None:
        return page(request, "remediation.html", view=None, cards=[], risk_words=RISK_WORDS)
    try:
        entries = await service.latest_entries(_SEARCHED)
    except StoreError as error:
        return page(request, "refused.html", 503, why=str(error))
    found = [entry for entry in entries if all(word in _text(entry) for word in words.lower().split())]
    return page(
        request, "audit.html", entries=found[:_MOST_LINES], total=len(found), searched=len(entries), words=words
    )  # fmt: skip


async def runs_about(service: RemediationSite | None, incident: str) -> Sequence[ActionRun]:
    """What was proposed or done because of an incident, the latest first."""
    return [run for run in await _latest(service) if run.proposal.trigger.fingerprint == incident]


async def runs_on(service: RemediationSite | None, guest: str) -> Sequence[ActionRun]:
    """What was proposed or done to the guest of this name, the latest first."""
    targets = ((run, run.proposal.target) for run in await _latest(service))
    return [run for run, target in targets if (target.kind, target.name) == ("domain", guest) and not target.host]


async def _latest(service: RemediationSite | None) -> Sequence[ActionRun]:
    """Nothing where remediation is off or its store cannot be read: its own page says so."""
    if service is None:
        return ()
    try:
        view = await service.overview()
    except StoreError:
        return ()
    return (*view.waiting[::-1], *view.active[::-1], *view.ended)


async def _card(service: RemediationSite, run: ActionRun, view: RemediationOverview) -> dict[str, Any]:
    journal = await service.entries(run.id)
    checked = [entry.facts["findings"] for entry in journal if entry.facts.get("findings")]
    held = [entry.reason for entry in journal if entry.kind == "blocked"]
    return {
        "run": run,
        "proposal": run.proposal,
        "findings": checked[-1] if checked else [],
        "reach": _reach(run),
        "held_back": held[-1] if held and run.state in PENDING else "",
        "approved_by": view.approved_by.get(run.id, ""),
        "is_waiting": run.state in PENDING,
        "journal": journal,
    }


def _reach(run: ActionRun) -> str:
    """What is touched, in words."""
    target, host = run.proposal.target, run.proposal.host
    if target.kind == "domain":
        return f"one guest, {target.name}, managed on {host}"
    if target.kind == "host":
        return f"the host {target.name} and what runs on it"
    return f"{target} on {host}"


def _text(entry: RunStoreEntry) -> str:
    words = (entry.run, entry.kind, entry.old, entry.new, entry.actor, entry.reason, entry.facts)
    return " ".join(str(word) for word in words if word).lower()


async def _approve(request: web.Request, user: User, fields: FormFields) -> str:
    """Consent is bound to the plan that stood on the page: the hash goes with the form."""
    service, run = _service(request), request.match_info["run"]
    await service.approve(run, actor_name(user), fields.get("plan_hash", ""), _token(request))
    return f"/remediation/runs/{quote(run, safe='')}"


async def _reject(request: web.Request, user: User, fields: FormFields) -> str:
    service, run, reason = _service(request), request.match_info["run"], fields.get("reason", "").strip()[:500]
    if not reason:
        raise InputError("a rejection needs a reason")
    await service.reject(run, actor_name(user), reason)
    return f"/remediation/runs/{quote(run, safe='')}"


async def _switch(request: web.Request, user: User, fields: FormFields) -> str:
    reason = fields.get("reason", "").strip()[:500]
    if not reason or fields.get("off") not in {"yes", "no"}:
        raise InputError("say why the switch is turned")
    await _service(request).turn(fields["off"] == "yes", actor_name(user), reason, _token(request))
    return "/remediation"


def _token(request: web.Request) -> str:
    """The token with which the person logged in; empty without a session."""
    session = request.app[SESSIONS].of(request)
    return session.token if session is not None else ""


def _service(request: web.Request) -> RemediationSite:
    service = request.app[CONTEXT].remediation
    if service is None:
        raise InputError("remediation is off")
    return service


ROUTES = (
    web.get("/remediation", overview),
    web.get("/remediation/audit", audit),
    web.get("/remediation/runs/{run}", one_run),
    form("/remediation/runs/{run}/approve", "approver", _approve),
    form("/remediation/runs/{run}/reject", "approver", _reject),
    form("/remediation/switch", "admin", _switch),
)
