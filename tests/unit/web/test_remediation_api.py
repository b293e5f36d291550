"""The API of remediation: persons with tokens, roles, and nothing changed by a link that is only fetched."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from story import Story

from xenwatch.base.errors import InputError
from xenwatch.web.auth import User
from xenwatch.web.remediation_api import routes

PEOPLE = [User("vera", "viewer", "v"), User("ann", "approver", "a"), User("adam", "admin", "x")]
BASE = "/api/v1/remediation"


def as_(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
async def house(tmp_path):
    story = Story(tmp_path, {"rule": {"mode": "propose"}})
    await story.play([{"incident": "guest-down"}, {"tick": 1}])
    app = web.Application()
    app.add_routes(routes(story.service, PEOPLE))
    async with TestClient(TestServer(app)) as client:
        yield story, client, (await story.service.runs())[0]
    story.service.close()


async def test_a_viewer_sees_the_plan_and_its_journal(house):
    _, client, run = house
    listed = await (await client.get(f"{BASE}/runs", headers=as_("v"))).json()
    one = await (await client.get(f"{BASE}/runs/{run.id}", headers=as_("v"))).json()
    assert [r["plan"] for r in listed["runs"]] == [["xl create /etc/xen/web.cfg"]]
    assert [entry["new"] for entry in one["journal"]] == ["proposed", "awaiting_approval"]


async def test_an_approver_consents_and_the_next_tick_starts_it(house):
    story, client, run = house
    said = {"plan_hash": run.proposal.plan_hash}
    assert (await client.post(f"{BASE}/runs/{run.id}/approve", json=said, headers=as_("a"))).status == 200
    await story.do_tick(1)
    assert story.world.running("web") == 1
    assert any(e.kind == "approval" and e.actor == "human:ann" for e in await story.service.entries())


class Gate:
    """Those who carry out orders, as far as an approval goes: what they were told, and whether they believe it."""

    def __init__(self, believes: str) -> None:
        self.believes, self.told = believes, []

    async def refusal(self) -> str | None:
        return None

    async def consent(self, run: str, plan_hash: str, who: str, token: str) -> None:
        self.told.append((run, plan_hash, who, token))
        if token != self.believes:
            raise InputError("not believed")


@pytest.mark.parametrize(("believes", "status"), [("a", 200), ("another", 400)])
async def test_the_token_itself_goes_on_to_those_who_carry_out_orders(house, believes, status):
    """They do not take the agent's word; where they do not believe it, the approval does not count anywhere."""
    story, client, run = house
    story.service.gate = gate = Gate(believes)
    said = {"plan_hash": run.proposal.plan_hash}
    assert (await client.post(f"{BASE}/runs/{run.id}/approve", json=said, headers=as_("a"))).status == status
    assert gate.told == [(run.id, run.proposal.plan_hash, "human:ann", "a")]
    approved = [e for e in await story.service.entries() if e.kind == "approval"]
    assert len(approved) == (1 if status == 200 else 0)


@pytest.mark.parametrize(("token", "status"), [("", 401), ("wrong", 401), ("v", 403)])
async def test_nobody_else_consents(house, token, status):
    story, client, run = house
    said = {"plan_hash": run.proposal.plan_hash}
    assert (await client.post(f"{BASE}/runs/{run.id}/approve", json=said, headers=as_(token))).status == status
    await story.do_tick(1)
    assert story.world.effects == []


async def test_a_link_that_is_only_fetched_does_nothing(house):
    _, client, run = house
    assert (await client.get(f"{BASE}/runs/{run.id}/approve", headers=as_("a"))).status == 405


async def test_the_hash_of_another_plan_is_refused(house):
    _, client, run = house
    answer = await client.post(f"{BASE}/runs/{run.id}/approve", json={"plan_hash": "0"}, headers=as_("a"))
    assert answer.status == 400
    assert "another plan" in await answer.text()


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"[" * 9000])
async def test_what_is_no_object_is_400(house, data):
    _, client, run = house
    assert (await client.post(f"{BASE}/runs/{run.id}/reject", data=data, headers=as_("a"))).status == 400


async def test_an_approver_refuses_and_an_admin_alone_turns_the_switch(house):
    story, client, run = house
    assert (await client.post(f"{BASE}/runs/{run.id}/reject", json={"reason": "no"}, headers=as_("a"))).status == 200
    said = {"off": True, "reason": "drill"}
    assert (await client.post(f"{BASE}/switch", json=said, headers=as_("a"))).status == 403
    assert (await client.post(f"{BASE}/switch", json={"off": True}, headers=as_("x"))).status == 400
    assert (await client.post(f"{BASE}/switch", json=said, headers=as_("x"))).status == 200
    assert (await story.service.statistics()).switched_off
    assert (await story.service.run(run.id)).state == "rejected"
