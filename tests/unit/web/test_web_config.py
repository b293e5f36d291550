"""One web.config.file for xenwatch and for a real node_exporter: both let in and keep out the same clients."""

import asyncio
import ssl
import subprocess
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import pytest
import yaml
from hosts.served import Served
from monitoring.certificates import Authority
from monitoring.stack import free_port
from monitoring.tools import tool

from xenwatch.base.errors import ConfigError
from xenwatch.config.listeners import guarded, passwords_of_listener, tls_of
from xenwatch.config.sections import WebSettings
from xenwatch.config.web_config import read_web_config
from xenwatch.web.app import build_app, serve

bcrypt = pytest.importorskip("bcrypt")


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{name}:{password}".encode()).decode()}


ANNA = basic("anna", "right")
STRANGERS = (None, basic("anna", "wrong"), basic("bert", "right"))


def written(folder: Path, **content: object) -> Path:
    path = folder / "web.yml"
    path.write_text(yaml.safe_dump(content))
    return path


def hashed(password: str) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()


@asynccontextmanager
async def both(served: Served, path: Path) -> AsyncIterator[tuple[str, str]]:
    """The addresses of xenwatch's and of node_exporter's /metrics, with this file."""
    settings, theirs = WebSettings(web_config=path), free_port()
    app = build_app(served.view(), loopback=True, passwords=passwords_of_listener(settings))
    listener, ours = await serve(app, "127.0.0.1", 0, tls=tls_of(settings))
    argv = (f"--web.listen-address=127.0.0.1:{theirs}", f"--web.config.file={path}", "--collector.disable-defaults")
    child = await asyncio.create_subprocess_exec(
        tool("prometheus-node-exporter"), *argv, "--collector.time", stderr=asyncio.subprocess.DEVNULL
    )
    scheme = "http" if tls_of(settings) is None else "https"
    try:
        await listening(theirs)
        yield f"{scheme}://127.0.0.1:{ours}/metrics", f"{scheme}://127.0.0.1:{theirs}/metrics"
    finally:
        child.terminate()
        await child.wait()
        await listener.close()


async def listening(port: int) -> None:
    async with asyncio.timeout(60):
        while True:
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.05)


async def status(url: str, headers: dict[str, str] | None = None, tls: ssl.SSLContext | bool = True) -> int | str:
    """The status, or `refused` where TLS ends the connection."""
    try:
        async with aiohttp.ClientSession(headers=headers) as http, http.get(url, ssl=tls) as answer:
            return answer.status
    except aiohttp.ClientError:
        return "refused"


async def test_both_let_in_the_user_with_the_right_password_and_nobody_else(served: Served, tmp_path: Path):
    async with both(served, written(tmp_path, basic_auth_users={"anna": hashed("right")})) as urls:
        for url in urls:
            assert await status(url, ANNA) == 200
            assert [await status(url, stranger) for stranger in STRANGERS] == [401, 401, 401]


async def test_both_want_the_certificate_of_a_client_where_the_file_says_so(served: Served, tmp_path: Path):
    authority = Authority(tmp_path)
    authority.sign("server")
    client, stranger = authority.sign("client"), Authority(tmp_path, "other").sign("stranger")
    for kind, bare in (("RequireAndVerifyClientCert", "refused"), ("VerifyClientCertIfGiven", 200)):
        tls = {
            "cert_file": "server.pem", "key_file": "server.key", "client_ca_file": "ca.pem", "client_auth_type": kind,
        }  # fmt: skip
        async with both(served, written(tmp_path, tls_server_config=tls)) as urls:
            for url in urls:
                assert await status(url, tls=trusting(authority)) == bare
                assert await status(url, tls=trusting(authority, client)) == 200
                assert await status(url, tls=trusting(authority, stranger)) == "refused"


def trusting(authority: Authority, own: tuple[Path, Path] | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(authority.certificate))
    if own is not None:
        context.load_cert_chain(*own)
    return context


def test_promtool_takes_the_same_file(tmp_path: Path):
    Authority(tmp_path).sign("server")
    tls = {"cert_file": "server.pem", "key_file": "server.key", "min_version": "TLS13"}
    path = written(tmp_path, tls_server_config=tls, basic_auth_users={"anna": hashed("right")})
    said = subprocess.run([tool("promtool"), "check", "web-config", str(path)], capture_output=True, check=False)
    assert said.returncode == 0, said.stderr
    read = read_web_config(path)
    assert read.tls is not None
    assert (read.tls.only_newest, list(read.hashes)) == (True, ["anna"])


async def test_a_changed_password_counts_at_once_and_a_broken_file_leaves_the_last_users(
    served: Served, tmp_path: Path
):
    path = written(tmp_path, basic_auth_users={"anna": hashed("right")})
    passwords = passwords_of_listener(WebSettings(web_config=path))
    assert passwords is not None
    assert await passwords.admit(ANNA["Authorization"])
    written(tmp_path, basic_auth_users={"anna": hashed("other")})
    assert not await passwords.admit(ANNA["Authorization"])
    path.write_text("basic_auth_users: [")
    assert await passwords.admit(basic("anna", "other")["Authorization"])


async def test_health_needs_no_password_and_a_password_changes_nothing(served: Served, tmp_path: Path):
    path = written(tmp_path, basic_auth_users={"anna": hashed("right")})
    app = build_app(served.view(), loopback=True, passwords=passwords_of_listener(WebSettings(web_config=path)))
    listener, port = await serve(app, "127.0.0.1", 0)
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=ANNA) as http:
            assert (await http.get("/api/v1/incidents")).status == 200
            body = {"by": "anna"}
            assert (await http.post("/api/v1/incidents/x/acknowledge", json=body)).status == 401
        assert await status(f"http://127.0.0.1:{port}/healthz") == 200
    finally:
        await listener.close()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("basic_auth_users: {anna: secret}", "bcrypt hash"),
        ("tls_server_config: {cert_file: a}", "key_file: is missing"),
        ("tls_server_config: {cert_file: a, key_file: b, client_auth_type: RequestClientCert}", "must be one of"),
        ("tls_server_config: {cert_file: a, key_file: b, client_ca_file: c}", "belongs to"),
        ("tls_server_config: {cert_file: a, key_file: b, cipher_suites: [x]}", "is not supported"),
        ("tls_config: {}", "is no section"),
        ("[", "is no YAML"),
    ],
)
def test_what_xenwatch_cannot_do_as_written_is_an_error_and_never_passed_over(tmp_path: Path, text: str, words: str):
    path = tmp_path / "web.yml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=words):
        read_web_config(path)


def test_passwords_without_tls_keep_nobody_out(tmp_path: Path):
    path = written(tmp_path, basic_auth_users={"anna": hashed("right")})
    assert not guarded(WebSettings(listen=("0.0.0.0", 1), web_config=path))
