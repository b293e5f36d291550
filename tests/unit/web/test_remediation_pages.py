"""The page about remediation: the whole plan before anybody consents, and consent to that plan alone."""

import re
from dataclasses import replace

import aiohttp
import pytest
from hosts.served import PEOPLE, Served
from story import Story

from xenwatch.web.app import build_app, serve


@pytest.fixture
async def house(tmp_path, served: Served):
    story = Story(tmp_path, {"rule": {"mode": "propose"}})
    await story.play([{"incident": "guest-down"}, {"tick": 1}])
    app = build_app(replace(served.view(), remediation=story.service), loopback=True, users=PEOPLE)
    listener, port = await serve(app, "127.0.0.1", 0)
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", cookie_jar=jar) as client:
        yield story, client, (await story.service.runs())[0]
    await listener.close()
    story.service.close()


async def test_without_a_policy_the_page_says_plainly_that_it_is_off(client):
    assert "Remediation is off" in await (await client.get("/remediation")).text()
    assert (await client.get("/remediation/runs/x")).status == 404


async def test_a_proposal_stands_there_with_plan_checks_and_reach(house):
    _, client, run = house
    page = await (await client.get("/remediation")).text()
    for words in (
        "xl create /etc/xen/web.cfg",
        "one guest, web",
        "may interrupt a guest",
        "pass",
        "to approve or reject",
    ):
        assert words in page, words
    assert "proposal waits for consent" in re.sub(r"<[^>]+>", "", await (await client.get("/")).text())
    assert run.proposal.plan_hash not in page  # only a form carries it


async def test_a_person_approves_the_plan_on_the_page_and_it_runs(house, sign_in):
    story, client, run = house
    token = await sign_in(client)
    page = await (await client.get("/remediation")).text()
    said = {"form_token": token, "plan_hash": re.search(r'name="plan_hash" value="(\w+)"', page)[1]}
    answer = await client.post(f"/remediation/runs/{run.id}/approve", data=said)
    assert "Approved by human:ann" in await answer.text()
    await story.do_tick(1)
    assert story.world.running("web") == 1
    assert "succeeded" in await (await client.get(f"/remediation/runs/{run.id}")).text()


async def test_consent_to_another_plan_or_without_the_role_starts_nothing(house, sign_in):
    story, client, run = house
    token = await sign_in(client)
    other = await client.post(f"/remediation/runs/{run.id}/approve", data={"form_token": token, "plan_hash": "0"})
    assert (other.status, "another plan" in await other.text()) == (400, True)
    token = await sign_in(client, "vera")
    said = {"form_token": token, "plan_hash": run.proposal.plan_hash}
    assert (await client.post(f"/remediation/runs/{run.id}/approve", data=said)).status == 403
    await story.do_tick(1)
    assert story.world.effects == []


async def test_a_rejection_has_a_reason_and_stands_in_the_audit(house, sign_in):
    _, client, run = house
    token = await sign_in(client)
    assert (await client.post(f"/remediation/runs/{run.id}/reject", data={"form_token": token})).status == 400
    said = {"form_token": token, "reason": "<b>not now</b>"}
    page = await (await client.post(f"/remediation/runs/{run.id}/reject", data=said)).text()
    assert "&lt;b&gt;not now" in page
    found = await (await client.get("/remediation/audit?q=rejected+human:ann")).text()
    assert "&lt;b&gt;not now" in found
    assert "Nothing matches" in await (await client.get("/remediation/audit?q=zebra")).text()


async def test_an_admin_alone_turns_the_kill_switch(house, sign_in):
    story, client, _ = house
    said = {"off": "yes", "reason": "drill"}
    token = await sign_in(client)
    assert (await client.post("/remediation/switch", data={"form_token": token, **said})).status == 403
    token = await sign_in(client, "adam")
    page = await (await client.post("/remediation/switch", data={"form_token": token, **said})).text()
    assert "turned off by human:adam: drill" in page
    assert (await story.service.statistics()).switched_off
