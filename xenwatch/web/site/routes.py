"""The addresses of all pages."""

from aiohttp import web

from xenwatch.web.site import (
    changes,
    checks,
    documents,
    guest_pages,
    hypervisor,
    incident_forms,
    incidents,
    network,
    now,
    page,
    pools,
    remediation,
    rules,
    signing,
    storage,
)

ROUTES = (
    web.get("/", now.now),
    web.get("/incidents/{id}", incidents.incident),
    *incident_forms.ROUTES,
    web.get("/guests", guest_pages.all_guests),
    web.get("/guests/{name}", guest_pages.one_guest),
    web.get("/storage", storage.storage),
    web.get("/network", network.network),
    web.get("/hypervisor", hypervisor.hypervisor),
    *checks.ROUTES,
    *pools.ROUTES,
    *remediation.ROUTES,
    web.get("/rules", rules.rules),
    web.get("/rules/{id}", rules.rule),
    *documents.ROUTES,
    web.get("/sign-in", signing.sign_in_page),
    web.post("/sign-in", signing.sign_in),
    web.post("/sign-out", signing.sign_out),
    web.get("/changes", changes.changes),
    web.get("/assets/{name}", page.asset),
)
