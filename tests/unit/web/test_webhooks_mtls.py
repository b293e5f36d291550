"""Webhooks over TLS with certificates on both sides, on real sockets."""

import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from monitoring.certificates import Authority

from xenwatch.web.app import build_bare, serve
from xenwatch.web.server.tls import TlsFiles
from xenwatch.web.webhook_auth import WebhookSenders
from xenwatch.web.webhooks import routes

BODY = json.dumps({"version": "4", "alerts": []})
TOKEN = "a-token-of-sixteen"


class Receiver:
    async def take_alerts(self, alerts) -> int:
        return len(alerts)

    async def first_use(self, _nonce: str) -> bool:
        return True


Post = Callable[[str, dict[str, str]], int]


@asynccontextmanager
async def hooks(folder: Path, senders: WebhookSenders, *, ask: bool = True) -> AsyncIterator[tuple[Authority, str]]:
    authority = Authority(folder)
    files = TlsFiles(*authority.sign("server"), authority.certificate if ask else None)
    door, port = await serve(build_bare(routes(Receiver(), senders), loopback=True), "127.0.0.1", 0, tls=files)
    try:
        yield authority, f"https://127.0.0.1:{port}/hooks/alertmanager"
    finally:
        await door.close()


async def delivered(authority: Authority, url: str, own: tuple[Path, Path] | None, token: str = "") -> int:
    context = ssl.create_default_context(cafile=str(authority.certificate))
    if own is not None:
        context.load_cert_chain(*own)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with aiohttp.ClientSession() as http, http.post(url, data=BODY, headers=headers, ssl=context) as answer:
        return answer.status


@pytest.mark.parametrize("listed", ["am", "am.example", "127.0.0.1"])
async def test_a_sender_whose_name_is_listed_needs_no_token(tmp_path: Path, listed: str):
    async with hooks(tmp_path, WebhookSenders(certificates=("other", listed))) as (authority, url):
        assert await delivered(authority, url, authority.sign("am", san=("am.example",))) == 202


@pytest.mark.parametrize("listed", [(), ("AM",), ("a",), ("am.example.org",), ("",)])
async def test_a_good_certificate_of_somebody_who_is_not_listed_is_401(tmp_path: Path, listed: tuple[str, ...]):
    async with hooks(tmp_path, WebhookSenders(certificates=listed)) as (authority, url):
        assert await delivered(authority, url, authority.sign("am", san=("am.example",))) == 401


async def test_a_token_is_good_beside_a_certificate_that_is_not_listed(tmp_path: Path):
    async with hooks(tmp_path, WebhookSenders(bearer=(TOKEN,), certificates=("am",))) as (authority, url):
        assert await delivered(authority, url, authority.sign("proxy"), TOKEN) == 202


async def test_a_certificate_that_nobody_asked_for_and_verified_proves_nothing(tmp_path: Path):
    async with hooks(tmp_path, WebhookSenders(certificates=("am",)), ask=False) as (authority, url):
        assert await delivered(authority, url, authority.sign("am")) == 401


async def test_a_certificate_of_another_authority_with_a_listed_name_does_not_get_in(tmp_path: Path):
    async with hooks(tmp_path, WebhookSenders(certificates=("am",))) as (authority, url):
        forged = Authority(tmp_path, "other").sign("am")
        with pytest.raises((aiohttp.ClientError, OSError)):
            await delivered(authority, url, forged)
