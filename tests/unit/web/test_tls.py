"""TLS on real sockets: who is let in, with which versions, and certificates that change while the agent runs."""

import logging
import os
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from hosts.served import Served
from monitoring.certificates import Authority

from xenwatch.base.errors import Unavailable
from xenwatch.web.app import build_app, serve
from xenwatch.web.server.connection import ConnectionLimits
from xenwatch.web.server.listener import Listener
from xenwatch.web.server.tls import ReloadingContext, TlsFiles, certificate_names


@dataclass
class Secure:
    """A server with a certificate of `authority`."""

    authority: Authority
    files: TlsFiles
    url: str
    door: Listener

    def client(self, own: tuple[Path, Path] | None = None) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.authority.certificate))
        if own is not None:
            context.load_cert_chain(*own)
        return context

    async def status(self, context: ssl.SSLContext) -> int:
        async with aiohttp.ClientSession() as http, http.get(f"{self.url}/healthz", ssl=context) as answer:
            return answer.status


@asynccontextmanager
async def secure(served: Served, folder: Path, *, ask: bool) -> AsyncIterator[Secure]:
    authority = Authority(folder)
    files = TlsFiles(*authority.sign("server"), authority.certificate if ask else None)
    app = build_app(served.view(), loopback=True)
    door, port = await serve(app, "127.0.0.1", 0, tls=files, limits=ConnectionLimits(head=2.0))
    try:
        yield Secure(authority, files, f"https://127.0.0.1:{port}", door)
    finally:
        await door.close()


async def test_whoever_trusts_the_authority_is_answered_over_tls(served: Served, tmp_path: Path):
    async with secure(served, tmp_path, ask=False) as server:
        assert await server.status(server.client()) == 200


async def test_plain_http_on_a_tls_port_is_not_answered(served: Served, tmp_path: Path):
    async with secure(served, tmp_path, ask=False) as server, aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.ClientError):
            await http.get(server.url.replace("https", "http") + "/healthz")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
@pytest.mark.parametrize(
    ("version", "spoken"),
    [(ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_3, True)],
)
async def test_nothing_older_than_tls_1_2_is_spoken(served: Served, tmp_path: Path, version, spoken: bool):
    async with secure(served, tmp_path, ask=False) as server:
        context = server.client()
        context.set_ciphers("DEFAULT:@SECLEVEL=0")  # else the client itself would refuse the old version
        context.minimum_version = context.maximum_version = version
        if spoken:
            assert await server.status(context) == 200
        else:
            with pytest.raises(aiohttp.ClientError):
                await server.status(context)


async def test_where_certificates_are_asked_for_only_those_of_the_authority_are_let_in(served: Served, tmp_path: Path):
    stranger = Authority(tmp_path, "other")
    async with secure(served, tmp_path, ask=True) as server:
        assert await server.status(server.client(server.authority.sign("prometheus"))) == 200
        for own in (None, stranger.sign("prometheus2"), server.authority.sign("late", days=-1)):
            with pytest.raises((aiohttp.ClientError, OSError)):
                await server.status(server.client(own))
        assert server.door.connections == 0


async def test_a_renewed_certificate_is_served_without_a_restart(served: Served, tmp_path: Path):
    async with secure(served, tmp_path, ask=False) as server:
        assert await server.status(server.client()) == 200
        server.authority = Authority(tmp_path, "new-ca")
        renewed = server.authority.sign("renewed")
        with pytest.raises(aiohttp.ClientError):
            await server.status(server.client())
        os.replace(renewed[0], server.files.certificate)  # noqa: PTH105 - as certbot and others do
        os.replace(renewed[1], server.files.key)  # noqa: PTH105
        assert await server.status(server.client()) == 200


async def test_an_authority_that_was_replaced_lets_nobody_in_any_more(served: Served, tmp_path: Path):
    async with secure(served, tmp_path, ask=True) as server:
        old, other = server.authority.sign("prometheus"), Authority(tmp_path, "other")
        known = ssl.create_default_context(cafile=str(server.authority.certificate))
        known.load_cert_chain(*old)
        assert await server.status(known) == 200
        client_ca = server.files.client_ca
        assert client_ca is not None
        shutil.copy(other.certificate, client_ca)
        with pytest.raises((aiohttp.ClientError, OSError)):
            await server.status(known)


async def test_a_certificate_without_its_key_yet_leaves_the_old_pair_in_force_and_says_so(
    served: Served, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    async with secure(served, tmp_path, ask=False) as server:
        client = server.client()
        renewed = server.authority.sign("renewed")
        shutil.copy(renewed[0], server.files.certificate)
        assert [await server.status(client) for _ in range(3)] == [200, 200, 200]
        assert caplog.text.count("the certificate read before stays in force") == 1
        shutil.copy(renewed[1], server.files.key)
        with caplog.at_level(logging.INFO):
            assert await server.status(client) == 200
        assert "read again" in caplog.text


@pytest.mark.parametrize("what", ["certificate", "key", "client_ca"])
def test_files_that_cannot_be_used_are_named(tmp_path: Path, what: str):
    authority = Authority(tmp_path)
    files = dict(zip(("certificate", "key"), authority.sign("server"), strict=True), client_ca=authority.certificate)
    files[what] = tmp_path / "nothing.pem"
    with pytest.raises(Unavailable, match=r"nothing\.pem"):
        ReloadingContext.of(TlsFiles(**files))
    files[what].write_text("no PEM")
    with pytest.raises(Unavailable, match=r"nothing\.pem"):
        ReloadingContext.of(TlsFiles(**files))


def test_the_names_of_a_certificate_are_its_common_name_and_its_alternative_names():
    certificate = {
        "subject": ((("organizationName", "example"),), (("commonName", "am"),)),
        "subjectAltName": (("DNS", "am.example"), ("URI", "spiffe://x/am"), ("DirName", ("odd",))),
    }
    assert certificate_names(certificate) == {"am", "am.example", "spiffe://x/am"}


@pytest.mark.parametrize("nothing", [None, {}])
def test_no_certificate_has_no_name(nothing):
    assert certificate_names(nothing) == frozenset()
