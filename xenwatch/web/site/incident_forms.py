"""What a person does about an incident on its page: look after it, give that back, close it, say something."""

from urllib.parse import quote

from aiohttp import web

from xenwatch.base.errors import InputError
from xenwatch.web.auth import User
from xenwatch.web.context import CONTEXT
from xenwatch.web.remarks import remark_of
from xenwatch.web.site.forms import FormFields, form

SPANS = ((1800, "30 minutes"), (7200, "2 hours"), (28800, "8 hours"), (86400, "a day"), (604800, "a week"))
"""How long somebody may look after it before it asks for attention again."""


async def _remark(request: web.Request, user: User, fields: FormFields) -> str:
    """The form names the kind of the remark; the name is the name of the person who is signed in."""
    context, incident = request.app[CONTEXT], request.match_info["id"]
    body: dict[str, object] = {"by": user.name, "what": fields.get("what"), "text": fields.get("text", "")}
    if fields.get("seconds", "").isdecimal() and len(fields["seconds"]) < 9:  # noqa: PLR2004 - no number of ours is longer
        body["seconds"] = int(fields["seconds"])
    if context.remark(incident, remark_of(body, context.now())) is None:
        raise InputError(f"there is no incident {incident[:80]!r} any more")
    return f"/incidents/{quote(incident, safe='')}"


ROUTES = (form("/incidents/{id}/remarks", "approver", _remark),)
