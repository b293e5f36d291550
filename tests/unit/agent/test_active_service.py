"""Callers that were given the remediation service once get the answers of the one in force after a reload."""

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from story import Story

from xenwatch.agent.active_service import ActiveService
from xenwatch.base.errors import StoreError
from xenwatch.web.auth import User
from xenwatch.web.remediation_api import routes

HEADERS = {"Authorization": "Bearer x"}
RUNS = "/api/v1/remediation/runs"


def client_of(active: ActiveService) -> TestClient:
    app = web.Application()
    app.add_routes(routes(active, [User("adam", "admin", "x")]))
    return TestClient(TestServer(app))


async def test_the_api_shows_the_runs_of_the_service_that_a_reload_put_in_place(tmp_path):
    before = Story(tmp_path / "before", {"rule": {"mode": "propose"}})
    after = Story(tmp_path / "after", {"rule": {"mode": "propose"}})
    await after.play([{"incident": "guest-down"}, {"tick": 1}])
    active = ActiveService(before.service)
    async with client_of(active) as client:
        assert (await (await client.get(RUNS, headers=HEADERS)).json())["runs"] == []
        active.current = after.service
        (run,) = (await (await client.get(RUNS, headers=HEADERS)).json())["runs"]
        shown = await (await client.get(f"{RUNS}/{run['id']}", headers=HEADERS)).json()
        assert [entry["new"] for entry in shown["journal"]] == ["proposed", "awaiting_approval"]
    before.service.close()
    after.service.close()


async def test_runs_that_cannot_be_read_now_are_503_with_the_reason(tmp_path, monkeypatch):
    story = Story(tmp_path, {})

    async def full() -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(story.service, "runs", full)
    async with client_of(ActiveService(story.service)) as client:
        answer = await client.get(RUNS, headers=HEADERS)
        assert answer.status == 503
        assert "the disk is full" in await answer.text()
    story.service.close()
