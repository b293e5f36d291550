"""Signing in with a browser: the cookie, the forms that only our own pages can send, and who may do what."""

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from hosts.served import Served

from xenwatch.web.app import build_app, serve
from xenwatch.web.auth import User
from xenwatch.web.sessions import LIFETIME, MOST_SESSIONS, Sessions
from xenwatch.web.site.forms import local

ANN = User("ann", "approver", "approver-token-12")


def asking(secret: str, **headers: str) -> web.Request:
    return make_mocked_request("GET", "/", headers={"Cookie": f"xenwatch-session={secret}", **headers})


async def test_whoever_signs_in_is_named_on_every_page_and_can_sign_out(client, sign_in):
    assert "Sign in" in await (await client.get("/")).text()
    token = await sign_in(client)
    assert "ann, approver" in await (await client.get("/guests")).text()
    await client.post("/sign-out", data={"form_token": token})
    assert "ann, approver" not in await (await client.get("/guests")).text()


async def test_the_cookie_is_for_no_script_and_no_other_site(client, sign_in):
    await sign_in(client)
    cookie = next(cookie for cookie in client.cookie_jar if cookie.key == "xenwatch-session")
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/")


async def test_a_wrong_token_and_a_form_of_another_site_begin_nothing(client):
    page = await (await client.get("/sign-in")).text()
    given = page.split('name="form_token" value="')[1].split('"')[0]
    refused = await client.post("/sign-in", data={"token": "guessed-guessed-1", "form_token": given})
    assert (refused.status, "Nobody has this token" in await refused.text()) == (403, True)
    foreign = await client.post("/sign-in", data={"token": "approver-token-12", "form_token": "guessed"})
    assert foreign.status == 403
    marked = {"Sec-Fetch-Site": "cross-site"}
    assert (await client.post("/sign-in", data={"token": "approver-token-12"}, headers=marked)).status == 403
    assert "ann, approver" not in await (await client.get("/")).text()


async def test_guessing_is_slowed_down(client):
    for _ in range(11):
        page = await (await client.get("/sign-in")).text()
        given = page.split('name="form_token" value="')[1].split('"')[0]
        answer = await client.post("/sign-in", data={"token": "guessed-guessed-1", "form_token": given})
    assert answer.status == 429


def test_a_session_ends_by_itself_and_many_push_out_the_first():
    clock = [0.0]
    sessions = Sessions([ANN], lambda: clock[0])
    first, _ = sessions.sign_in(ANN.token)
    assert sessions.of(asking(first)).user == ANN
    clock[0] = LIFETIME
    assert sessions.of(asking(first)) is None
    second, _ = sessions.sign_in(ANN.token)
    for _ in range(MOST_SESSIONS):
        sessions.sign_in(ANN.token)
    assert sessions.of(asking(second)) is None
    assert sessions.sign_in("") is None


def test_behind_a_proxy_with_tls_the_cookie_is_for_tls_alone():
    sessions = Sessions([ANN], lambda: 0.0, "xen1.example")
    answer, request = web.Response(), asking("", Host="xen1.example")
    sessions.give(request, answer, "x", seconds=1)
    assert answer.cookies["__Host-xenwatch-session"]["secure"]
    assert not sessions.is_private(asking("", Host="localhost"))


@pytest.mark.parametrize("address", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:x", ""])
def test_nobody_is_sent_to_another_site(address: str):
    assert local(address) == "/"
    assert local("/incidents/a?b=c") == "/incidents/a?b=c"


async def test_where_reading_needs_a_token_a_browser_is_asked_to_sign_in(served: Served, sign_in):
    app = build_app(served.view(), loopback=True, readers=[ANN], users=[ANN])
    listener, port = await serve(app, "127.0.0.1", 0)
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", cookie_jar=jar) as client:
        sent = await client.get("/guests?q=x", headers={"Accept": "text/html"}, allow_redirects=False)
        assert (sent.status, sent.headers["Location"]) == (303, "/sign-in?to=/guests%3Fq%3Dx")
        assert (await client.get("/api/v1/incidents")).status == 401
        assert (await client.get("/assets/site.css")).status == 200
        await sign_in(client)
        assert (await client.get("/guests", headers={"Accept": "text/html"})).status == 200
        assert (await client.get("/api/v1/incidents")).status == 200
        assert (await client.post("/api/v1/incidents/v-web/acknowledge", json={"by": "x"})).status == 401
    await listener.close()


async def test_a_person_acts_on_an_incident_and_it_stands_in_the_history(served: Served, client, sign_in, an_incident):
    served.know(an_incident("web"))
    token = await sign_in(client)

    async def act(**said: str) -> str:
        answer = await client.post("/incidents/v-web/remarks", data={"form_token": token, **said})
        assert answer.status == 200, await answer.text()
        return await answer.text()

    assert "ann: new disk on its way" in await act(what="acknowledged", seconds="7200", text="new disk on its way")
    assert served.known["v-web"].acknowledged_until == 1e9 + 120 + 7200
    await act(what="taken back")
    assert served.known["v-web"].acknowledged_by is None
    assert "&lt;script&gt;" in await act(what="note", text="<script>alert(1)</script>")
    await act(what="wrong", text="it was the switch")
    await act(what="closed", text="replaced")
    kept = served.known["v-web"]
    assert [r.what for r in kept.remarks] == ["acknowledged", "taken back", "note", "wrong", "closed"]
    assert kept.state == "resolved"


async def test_what_cannot_be_done_is_said_in_words(served: Served, client, sign_in, an_incident):
    served.know(an_incident("web"))
    token = await sign_in(client)
    for said, status in (
        ({"what": "note"}, 400),
        ({"what": "exploded"}, 400),
        ({"form_token": "x", "what": "right"}, 403),
    ):
        answer = await client.post("/incidents/v-web/remarks", data={"form_token": token, **said})
        assert (answer.status, answer.content_type) == (status, "text/html")
        assert "Nothing was done" in await answer.text()
    gone = await client.post("/incidents/none/remarks", data={"form_token": token, "what": "right"})
    assert gone.status == 400
    assert served.known["v-web"].remarks == ()


async def test_a_viewer_and_a_stranger_change_nothing(served: Served, client, sign_in, an_incident):
    served.know(an_incident("web"))
    asked = await client.post("/incidents/v-web/remarks", data={"what": "right"}, allow_redirects=False)
    assert (asked.status, asked.headers["Location"]) == (303, "/sign-in?to=%2F")
    token = await sign_in(client, "vera")
    answer = await client.post("/incidents/v-web/remarks", data={"form_token": token, "what": "right"})
    assert answer.status == 403
    assert served.known["v-web"].remarks == ()
