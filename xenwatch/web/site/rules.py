"""What the agent knows: every failure that it can tell, searched and read in the browser."""

from aiohttp import web

from xenwatch.web.context import CONTEXT, KnownFailure
from xenwatch.web.site.page import page


async def rules(request: web.Request) -> web.Response:
    """All known failures, those that hold every word of `q` in their title, class, id or cause."""
    context = request.app[CONTEXT]
    words = request.query.get("q", "").strip()[:200]
    every = context.failures()
    found = [failure for failure in every if all(word in _text(failure) for word in words.lower().split())]
    return page(request, "rules.html", failures=found, total=len(every), words=words)


async def rule(request: web.Request) -> web.Response:
    """One known failure: what it means, how to check, what to do."""
    context = request.app[CONTEXT]
    wanted = request.match_info["id"]
    found = next((f for f in context.failures() if wanted == f.id or wanted in f.aliases), None)
    if found is None:
        return page(request, "gone.html", status=404, what=f"rule {wanted[:80]}")
    open_now = [i for i in context.incidents() if i.diagnosis.rule == found.id and i.state != "resolved"]
    return page(request, "rule.html", failure=found, incidents=open_now)


def _text(failure: KnownFailure) -> str:
    return f"{failure.id} {failure.class_} {failure.title} {failure.cause}".lower()
