"""Secrets from systemd's credentials, and the agent's own log as JSON, with a real agent."""

import asyncio
import json
import sys
from pathlib import Path

import aiohttp
import pytest
from monitoring.stack import free_port, until

from xenwatch.config.loader import load_config
from xenwatch.diagnosis.ruleset import cache_folder

ACCESS = '[[person]]\nname = "ann"\nrole = "viewer"\ntoken = "viewer-of-the-test"\n'


def test_a_path_can_be_a_credential_of_the_service(tmp_path: Path):
    path = tmp_path / "x.toml"
    path.write_text('[remediation]\naccess = "credential:access.toml"\n[notify.mail]\nurl_file = "credential:mail"\n')
    config = load_config(path, {"CREDENTIALS_DIRECTORY": "/run/credentials/other.service"}).config
    assert config.remediation.access == Path("/run/credentials/other.service/access.toml")
    assert config.notify["mail"].url_file == Path("/run/credentials/other.service/mail")


def test_a_person_beside_the_service_is_told_the_place_of_the_services_credentials(tmp_path: Path):
    path = tmp_path / "x.toml"
    path.write_text('[remediation]\naccess = "credential:../access.toml"\n[fleet]\ntls_ca = "/etc/ca.pem"\n')
    config = load_config(path).config
    assert config.remediation.access == Path("/run/credentials/xenwatch.service/access.toml")
    assert config.fleet.tls_ca == Path("/etc/ca.pem")


@pytest.fixture
def settings(tmp_path: Path) -> tuple[Path, int]:
    port, path = free_port(), tmp_path / "xenwatch.toml"
    path.write_text(
        f'[agent]\nstate_dir = "{tmp_path}/state"\nlog_format = "json"\n[logs]\npaths = ["{tmp_path}/none.log"]\n'
        f'journal = false\n[sampling]\nlibvirt_uri = "test:///default"\n[diagnosis]\ncache_dir = "{cache_folder()}"\n'
        f'[web]\nlisten = "127.0.0.1:{port}"\nlog_in = "token"\nsocket = ""\n'
        '[remediation]\naccess = "credential:access.toml"\n'
    )
    return path, port


async def test_an_agent_reads_its_secrets_from_its_credentials_and_every_line_that_it_says_is_json(
    settings: tuple[Path, int], tmp_path: Path
):
    path, port = settings
    (tmp_path / "credentials").mkdir()
    secret = tmp_path / "credentials/access.toml"
    secret.write_text(ACCESS)
    secret.chmod(0o400)
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "xenwatch.cli.main", "agent", "--config", str(path),
        env={"CREDENTIALS_DIRECTORY": str(secret.parent), "PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path)},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip

    async def status(headers: dict[str, str] | None = None) -> int:
        try:
            async with (
                aiohttp.ClientSession(headers=headers) as http,
                http.get(f"http://127.0.0.1:{port}/api/v1/incidents") as answer,
            ):
                return answer.status
        except aiohttp.ClientError:
            return 0

    assert await until(status) == 401
    assert await status({"Authorization": "Bearer viewer-of-the-test"}) == 200
    child.terminate()
    out, said = await child.communicate()
    lines = [json.loads(line) for line in said.splitlines()]
    assert out == b""
    assert [line["level"] for line in lines if "watching" in line["message"]] == ["info"]
    assert all(set(line) >= {"time", "level", "logger", "message"} for line in lines)
