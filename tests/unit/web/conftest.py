"""A real server on a free loopback port, showing incidents as the engine makes them."""

import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from hosts.served import BRIDGES, PEOPLE, Served, an_incident

from xenwatch.model.sample import Sample, Snapshot
from xenwatch.web.app import build_app, serve

sys.path.insert(0, str(Path(__file__).parents[2] / "scenarios"))  # the simulated hosts of the stories


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    made = Served()
    await made.exposition.update(Snapshot(1.0, (Sample(BRIDGES, ('x"\n',), 2.0),)))
    listener, port = await serve(build_app(made.view(), loopback=True, users=PEOPLE), "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{port}"
    yield made
    await listener.close()


@pytest.fixture
def sign_in():
    """Signs a client in as vera (viewer), ann (approver) or adam (admin); the token of the session's forms."""

    async def begin(client: aiohttp.ClientSession, name: str = "ann") -> str:
        token = next(user.token for user in PEOPLE if user.name == name)
        said = {
            "token": token,
            "form_token": form_token(await (await client.get("/sign-in")).text(), "/sign-in"),
            "back": "/",
        }
        answer = await client.post("/sign-in", data=said)
        assert answer.status == 200, await answer.text()
        return form_token(await answer.text())

    return begin


def form_token(page: str, action: str = "/sign-out") -> str:
    return re.search(rf'action="{action}">\s*<input type="hidden" name="form_token" value="([^"]+)"', page)[1]


@pytest.fixture
async def client(served: Served) -> AsyncIterator[aiohttp.ClientSession]:
    jar = aiohttp.CookieJar(unsafe=True)  # keeps the cookies of an IP address
    async with aiohttp.ClientSession(served.url, cookie_jar=jar) as session:
        yield session


@pytest.fixture(name="an_incident")
def an_incident_factory():
    return an_incident
