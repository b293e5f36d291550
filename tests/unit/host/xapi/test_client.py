"""The client against a pool that loses its master, its sessions and its patience."""

import asyncio
import hashlib
import logging
import ssl
from pathlib import Path

import pytest
from xapi.asking import access_to
from xapi.pools import StandInPool

from xenwatch.base.errors import TimedOut, Unavailable
from xenwatch.config.xapi import XapiSettings, contradictions_of_pool
from xenwatch.demo.pool.methods import USERS
from xenwatch.host.xapi.access import PinnedCertificates, XapiAccess
from xenwatch.host.xapi.client import XapiClient, XapiLoginRefused
from xenwatch.host.xapi.rpc import XapiError


async def test_one_session_serves_all_calls_and_is_closed_at_the_end(pool: StandInPool, client: XapiClient) -> None:
    for _ in range(3):
        assert await client.call("pool.get_all") == [pool.ref]
    assert pool.sessions.opened == 1
    await client.close()
    assert pool.sessions.by_ref == {}


async def test_a_session_that_ended_is_opened_again(pool: StandInPool, client: XapiClient) -> None:
    await client.call("pool.get_all")
    pool.sessions.expire()
    assert await client.call("pool.get_all") == [pool.ref]
    assert client.logins == 2


async def test_a_slave_says_who_the_master_is(pool: StandInPool) -> None:
    asked = XapiClient(access_to(pool, addresses=(pool.url(pool.hosts[1]),)))
    assert await asked.call("pool.get_all") == [pool.ref]
    assert asked.address == pool.url(pool.hosts[0])
    await asked.close()


async def test_a_master_that_became_a_slave_hands_on_to_the_new_one(pool: StandInPool, client: XapiClient) -> None:
    await client.call("pool.get_all")
    pool.make_master(pool.hosts[1])
    assert await client.call("pool.get_all") == [pool.ref]
    assert client.address == pool.url(pool.hosts[1])
    await client.close()
    assert pool.sessions.by_ref == {}, "the session that was left open at the old master is closed too"


async def test_a_lost_master_costs_one_call_and_the_others_name_the_new_one(
    pool: StandInPool, client: XapiClient
) -> None:
    await client.call("pool.get_all")
    client.learn_hosts(["127.0.0.1", "127.0.0.2"])
    await pool.hosts[0].stop()
    pool.make_master(pool.hosts[1])
    with pytest.raises(Unavailable):
        await client.call("pool.get_all")
    assert await client.call("pool.get_all") == [pool.ref]
    assert client.address == pool.url(pool.hosts[1])


async def test_where_no_host_answers_the_last_reason_is_told(pool: StandInPool, client: XapiClient) -> None:
    await pool.stop()
    with pytest.raises(Unavailable, match=r"no host lets xenwatch in; the last said: xapi at https://127.0.0.1"):
        await client.call("pool.get_all")


async def test_a_host_that_hangs_is_given_up_at_the_deadline(pool: StandInPool) -> None:
    hasty = XapiClient(access_to(pool, call_seconds=0.3))
    pool.hosts[0].hangs = True
    with pytest.raises(Unavailable, match=r"did not answer session.login_with_password within 0.3 s"):
        await hasty.call("pool.get_all")
    pool.hosts[0].hangs = False
    assert await hasty.call("pool.get_all") == [pool.ref]
    pool.hosts[0].hangs = True
    with pytest.raises(TimedOut, match=r"did not answer pool.get_all within 0.3 s"):
        await hasty.call("pool.get_all")
    await hasty.close()


async def test_what_xapi_refuses_comes_with_its_code(client: XapiClient) -> None:
    with pytest.raises(XapiError, match="HANDLE_INVALID VM OpaqueRef:gone") as refused:
        await client.call("VM.get_record", "OpaqueRef:gone")
    assert (refused.value.code, refused.value.params) == ("HANDLE_INVALID", ("VM", "OpaqueRef:gone"))


async def test_the_read_only_role_changes_nothing(pool: StandInPool, client: XapiClient) -> None:
    with pytest.raises(XapiError) as refused:
        await client.call("VM.start", "OpaqueRef:any", False, False)
    assert refused.value.code == "RBAC_PERMISSION_DENIED"
    assert client.logins == 1


async def test_a_wrong_password_is_told_apart_from_a_host_that_is_down(pool: StandInPool) -> None:
    wrong = XapiClient(access_to(pool, password=lambda: "wrong"))
    with pytest.raises(XapiLoginRefused):
        await wrong.call("pool.get_all")
    assert pool.hosts[0].asked == ["session.login_with_password"], "one attempt: more would lock the account"
    await wrong.close()


async def test_a_certificate_of_nobody_known_stops_the_password(pool: StandInPool) -> None:
    strict = XapiClient(access_to(pool, tls=ssl.create_default_context()))
    with pytest.raises(Unavailable, match=r"is not trusted .*: set tls_ca, or pin it with fingerprints"):
        await strict.call("pool.get_all")
    await strict.close()
    assert pool.hosts[0].asked == []


async def test_a_pinned_certificate_is_believed_and_no_other(pool: StandInPool) -> None:
    digests = [_digest(pool.folder / f"host-{host.address}.pem") for host in pool.hosts]
    pinned = XapiClient(access_to(pool, tls=PinnedCertificates(digests)))
    assert await pinned.call("pool.get_all") == [pool.ref]
    await pinned.close()
    other = XapiClient(access_to(pool, tls=PinnedCertificates([digests[1]])))
    asked = len(pool.hosts[0].asked)
    with pytest.raises(Unavailable, match=f"not pinned, with the SHA-256 fingerprint {digests[0].hex()}"):
        await other.call("pool.get_all")
    await other.close()
    assert len(pool.hosts[0].asked) == asked


def _digest(certificate: Path) -> bytes:
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate.read_text())).digest()


async def test_one_request_at_a_time_goes_to_a_host(pool: StandInPool, client: XapiClient) -> None:
    pool.hosts[0].delay = 0.02
    await asyncio.gather(*(client.call("pool.get_all") for _ in range(8)))
    assert pool.hosts[0].most_in_flight == 1
    assert pool.sessions.opened == 1


async def test_no_secret_is_in_what_is_logged_or_printed(
    pool: StandInPool, client: XapiClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await client.call("pool.get_all")
    sessions = set(pool.sessions.by_ref)
    pool.sessions.expire()
    await client.call("pool.get_all")
    pool.hosts[0].hangs = True
    with pytest.raises(TimedOut) as late:
        await client.call("pool.get_all", seconds=0.1)
    told = (
        caplog.text + repr(client.access) + str(late.value) + str(XapiError("a", "b", "SESSION_INVALID", [*sessions]))
    )
    for secret in (USERS["monitor"][0], *sessions, *pool.sessions.by_ref):
        assert secret not in told


def test_an_access_shows_no_password_when_it_is_printed() -> None:
    assert "hunter2" not in repr(XapiAccess("p", ("https://x",), "u", lambda: "hunter2"))


@pytest.mark.parametrize("address", ["http://10.0.0.1", "http://127.0.0.1.example", "http://xcp1:80"])
async def test_a_password_goes_over_the_network_under_tls_alone(pool: StandInPool, address: str) -> None:
    client = XapiClient(access_to(pool, addresses=(address,)))
    with pytest.raises(Unavailable, match="without TLS"):
        await client.call("pool.get_all")
    await client.close()


@pytest.mark.parametrize(
    ("url", "accepted"),
    [
        ("https://xcp1.example", True),
        ("https://[2001:db8::1]:443", True),
        ("http://127.0.0.1:8080", True),  # the end of a tunnel, or the demo
        ("http://xcp1.example", False),
        ("http://127.0.0.1.example", False),
        ("https://root:secret@xcp1", False),
    ],
)
def test_an_address_is_https_or_this_machine(tmp_path: Path, url: str, accepted: bool) -> None:
    settings = XapiSettings(urls=(url,), user="monitor", password_file=tmp_path / "p")
    assert bool(list(contradictions_of_pool("prod", settings))) is not accepted
