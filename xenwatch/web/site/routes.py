"""The addresses of all pages."""

from aiohttp import web

from xenwatch.web.site import changes, guest_pages, incidents, page, rules

ROUTES = (
    web.get("/", incidents.now),
    web.get("/incidents/{id}", incidents.incident),
    web.get("/guests", guest_pages.all_guests),
    web.get("/guests/{name}", guest_pages.one_guest),
    web.get("/rules", rules.rules),
    web.get("/rules/{id}", rules.rule),
    web.get("/changes", changes.changes),
    web.get("/assets/{name}", page.asset),
)
