"""What listens, as configured: two addresses, log-in, and no automatic remediation while strangers reach the API."""

import ssl
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from monitoring.certificates import Authority

from xenwatch.agent.remediation import open_remediation
from xenwatch.base.clock import ManualClock
from xenwatch.base.errors import ConfigError
from xenwatch.config.access import Access

Bench = Any  # conftest's
TOKEN, SECRET = "token-of-ann-1234", "alertmanager-1234"
ACCESS = f'[hooks]\nbearer = ["{SECRET}"]\n[[person]]\nname = "ann"\nrole = "viewer"\ntoken = "{TOKEN}"\n'


def policy(folder: Path, mode: str) -> Path:
    path = folder / "policy.toml"
    path.write_text(f'# ours\n[remediation]\nhost = "dom0"\nmode = "{mode}"\n')
    return path


def remedied(bench: Bench, mode: str = "propose") -> None:
    path = policy(bench.host.folder, mode)
    access = path.with_name("access.toml")
    access.write_text(ACCESS)
    access.chmod(0o600)


async def status(http: aiohttp.ClientSession, path: str, token: str = "", **more: Any) -> int:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with http.request("POST" if "/hooks/" in path else "GET", path, headers=headers, **more) as answer:
        return answer.status


async def test_webhooks_with_an_address_of_their_own_are_there_and_nowhere_else(bench: Bench):
    remedied(bench)
    authority = Authority(bench.host.folder)
    certificate, key = authority.sign("server")
    bench.overrides |= {
        "hooks.listen": ("127.0.0.1", 0), "hooks.tls_certificate": certificate, "hooks.tls_key": key,
        "hooks.tls_client_ca": authority.certificate, "hooks.tls_client_auth": "require",
    }  # fmt: skip
    client = ssl.create_default_context(cafile=str(authority.certificate))
    client.load_cert_chain(*authority.sign("am"))
    async with bench.running() as run, aiohttp.ClientSession() as http:
        port = run.agent.desk.listeners["hooks"].port
        url, body = f"https://127.0.0.1:{port}", '{"version": "4", "alerts": []}'
        assert await status(http, f"{url}/hooks/alertmanager", SECRET, ssl=client, data=body) == 202
        assert await status(http, f"{url}/hooks/alertmanager", ssl=client, data=body) == 401
        assert await status(http, f"{url}/metrics", ssl=client) == 404
        assert await status(run.http, "/hooks/alertmanager", SECRET, data=body) == 404
        assert 'xenwatch_web_connections{listener="hooks"} 1' in await run.text("/metrics")


async def test_where_reading_needs_a_token_only_health_is_told_without(bench: Bench):
    remedied(bench)
    bench.overrides["web.log_in"] = "token"
    async with bench.running() as run:
        await run.ready()
        for path in ("/", "/metrics", "/api/v1/incidents", "/api/v1/status"):
            assert await status(run.http, path) == 401, path
            assert await status(run.http, path, "wrong") == 401, path
            assert await status(run.http, path, TOKEN) == 200, path
        assert [await status(run.http, path) for path in ("/healthz", "/readyz")] == [200, 200]
        assert await status(run.http, "/hooks/alertmanager", SECRET, data='{"version": "4", "alerts": []}') == 202


async def test_an_agent_does_not_start_with_automatic_remediation_and_an_open_api(bench: Bench):
    remedied(bench, "auto")
    bench.overrides["web.listen"] = ("0.0.0.0", 0)
    with pytest.raises(ConfigError, match="auto is refused"):
        async with bench.running():
            raise AssertionError


async def test_a_reload_that_brings_automatic_remediation_to_an_open_api_is_refused(tmp_path: Path):
    path, clock = policy(tmp_path, "propose"), ManualClock()
    remedy = open_remediation(path, Access(), tmp_path, clock, "test:///default", guarded=False)
    policy(tmp_path, "auto")
    with pytest.raises(ConfigError, match="auto is refused"):
        remedy.reload(path, tmp_path)
    assert remedy.desk is not None
    assert remedy.desk.policy.mode == "propose"
    await remedy.stop()
