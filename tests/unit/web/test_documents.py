"""Runbooks at the agent itself: the links that alerts carry open, and no other file does."""

import re
from pathlib import Path

import pytest

from xenwatch.agent.incident_registry import IncidentRegistry
from xenwatch.agent.metrics.families import incident_families
from xenwatch.config.consistency import contradictions
from xenwatch.config.sections import Config, WebSettings

RULES = Path(__file__).parents[3] / "alerts"


async def test_the_runbook_of_every_alert_opens_at_its_heading(client):
    links = set(
        re.findall(r'runbook_url: "(docs/runbooks/[^"]+)"', "".join(p.read_text() for p in RULES.glob("*.yaml")))
    )
    pages: dict[str, str] = {}
    for path, _, anchor in (link.partition("#") for link in sorted(links)):
        if path not in pages:
            pages[path] = await (await client.get(f"/{path}")).text()
        assert f'id="{anchor}"' in pages[path], (path, anchor)
    assert len(links) > 50


async def test_the_page_of_a_failure_is_the_page_of_its_rule(client):
    answer = await client.get("/docs/failures/vif-bridge-missing.md")
    assert answer.url.path == "/rules/vif-bridge-missing"
    assert "brctl show" in await answer.text()


ELSEWHERE = ("../pyproject.toml", "%2e%2e/pyproject.toml", "/etc/passwd", "rule.schema.json", "nothing.md")


@pytest.mark.parametrize("path", ELSEWHERE)
async def test_nothing_else_on_the_disk_can_be_read(client, path: str):
    answer = await client.get(f"/docs/{path}")
    assert answer.status == 404


async def test_all_documents_are_listed_and_open(client):
    index = await (await client.get("/docs")).text()
    names = re.findall(r'href="(/docs/[^"]+)"', index)
    assert "/docs/remediation.md" in names
    for name in names:
        assert (await client.get(name)).status == 200, name


def test_an_alert_can_carry_the_absolute_address_of_its_incident(an_incident):
    registry = IncidentRegistry([an_incident("web")])

    def labels(*address: str) -> dict[str, str]:
        info = next(f for f in incident_families(registry, *address) if f.name == "xenwatch_incident")
        return info.samples[0].labels

    assert labels("https://xen1.example")["url"] == "https://xen1.example/incidents/v-web"
    assert "url" not in labels()


ADDRESSES = (("https://xen1.example:8443/", True), ("", True), ("xen1", False), ("https://a/b", False))


@pytest.mark.parametrize(("address", "is_fine"), ADDRESSES)
def test_an_address_that_no_link_can_begin_with_is_refused(address: str, is_fine: bool):
    found = list(contradictions(Config(web=WebSettings(external_url=address))))
    assert ([] if is_fine else ["web.external_url"]) == [key for key, _ in found]
