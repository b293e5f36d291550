"""The standing checks of this host: what will fail one day although nothing is down now."""

from collections.abc import Sequence

from aiohttp import web

from xenwatch.model.diagnosis import SEVERITIES
from xenwatch.web.context import CONTEXT, StandingCheck
from xenwatch.web.site.page import page


async def checks(request: web.Request) -> web.Response:
    """What was found, the worst first; what could not be checked and why; what is well."""
    made = request.app[CONTEXT].checks()
    return page(
        request,
        "checks.html",
        made=len(made),
        found=found_by(made),
        unknown=[one for one in made if one.missing],
        well=[one for one in made if not one.found and not one.missing],
    )


def found_by(made: Sequence[StandingCheck]) -> list[StandingCheck]:
    """Those that found something, the worst first."""
    found = [one for one in made if one.found]
    return sorted(found, key=lambda one: -SEVERITIES.index(one.found[0].severity))


ROUTES = (web.get("/checks", checks),)
