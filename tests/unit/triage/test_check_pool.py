"""`xenwatch check` logs in to a pool and says who is master, or what is wrong."""

from pathlib import Path

from xapi.pools import build_pool, running

from xenwatch.config.xapi import XapiSettings
from xenwatch.demo.pool.methods import USERS
from xenwatch.triage.check import _pool


async def test_a_pool_that_answers_and_one_that_refuses(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text(USERS["monitor"][0])
    secret.chmod(0o600)
    async with running(build_pool(tmp_path)) as pool:
        settings = XapiSettings((pool.url(pool.hosts[1]),), "monitor", secret, pool.authority.certificate)
        well = await _pool("prod", settings)
        assert (well.about, well.verdict) == ("xapi.prod", "ok")
        assert well.words == f"{pool.url(pool.hosts[0])} is the master; 2 hosts"
        assert pool.sessions.by_ref == {}
        secret.write_text("wrong")
        refused = await _pool("prod", settings)
        assert refused.verdict == "error"
        assert "SESSION_AUTHENTICATION_FAILED" in refused.words
        missing = await _pool("prod", XapiSettings((pool.url(),), "monitor", tmp_path / "none", tmp_path / "none.pem"))
        assert missing.verdict == "error"
        assert "tls_ca" in missing.words
