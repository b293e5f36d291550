"""Debian's own Alertmanager proves with a certificate who it is, and is believed only where its name is listed."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from monitoring.certificates import Authority
from monitoring.policy import tell_somebody_of
from monitoring.stack import agent, alertmanager, free_port, until

PERSON = "somebody-of-the-test"
ACCESS = f"""
[hooks]
certificates = ["alertmanager.example"]
[[person]]
name = "ann"
role = "viewer"
token = "{PERSON}"
"""
POLICY = tell_somebody_of("GuestDown")


@dataclass
class Host:
    """An agent whose webhooks are behind certificates of `authority`."""

    folder: Path
    authority: Authority
    address: str
    port: int

    @asynccontextmanager
    async def alerted_by(self, name: str) -> AsyncIterator[str]:
        """The URL of an Alertmanager of that name, which holds an alert as Prometheus sends one."""
        own, key = self.authority.sign(name)
        tls = {"ca_file": str(self.authority.certificate), "cert_file": str(own), "key_file": str(key)}
        hook = {"url": f"https://127.0.0.1:{self.port}/hooks/alertmanager", "http_config": {"tls_config": tls}}
        config = {
            "route": {"receiver": "xenwatch", "group_wait": "1s"},
            "receivers": [{"name": "xenwatch", "webhook_configs": [hook]}],
        }
        folder = self.folder / name
        folder.mkdir()
        body = [{"labels": {"alertname": "GuestDown", "severity": "critical"}}]
        async with alertmanager(folder, config) as port, aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
            async with http.post("/api/v2/alerts", json=body) as said:
                assert said.status == 200
            yield f"http://127.0.0.1:{port}"

    async def runs(self) -> list[dict[str, Any]]:
        headers = {"Authorization": f"Bearer {PERSON}"}
        async with (
            aiohttp.ClientSession(f"http://{self.address}", headers=headers) as http,
            http.get("/api/v1/remediation/runs") as answer,
        ):
            return [run for run in (await answer.json())["runs"] if run["rule"] == "tell-somebody"]


async def given_up(url: str) -> float:
    """Deliveries to webhooks that Alertmanager will not try again."""
    async with aiohttp.ClientSession() as http, http.get(f"{url}/metrics") as answer:
        text = await answer.text()
    found = re.findall(r'^alertmanager_notifications_failed_total{integration="webhook".*} (\S+)', text, re.MULTILINE)
    return sum(map(float, found))


@asynccontextmanager
async def host(folder: Path) -> AsyncIterator[Host]:
    authority, port = Authority(folder), free_port()
    certificate, key = authority.sign("xen1")
    for name, text in (("policy.toml", POLICY), ("access.toml", ACCESS)):
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)
    more = (
        f'[hooks]\nlisten = "127.0.0.1:{port}"\ntls_certificate = "{certificate}"\ntls_key = "{key}"\n'
        f'tls_client_ca = "{authority.certificate}"\ntls_client_auth = "require"\n'
        f'[remediation]\npolicy = "{folder}/policy.toml"\naccess = "{folder}/access.toml"\n'
    )
    async with agent(folder, more) as (address, _):
        yield Host(folder, authority, address, port)


async def test_an_alertmanager_is_believed_for_its_certificate_if_it_is_listed_and_not_otherwise(tmp_path: Path):
    async with host(tmp_path) as there:
        async with there.alerted_by("another.example") as url:
            await until(lambda: given_up(url))
            assert await there.runs() == []
        async with there.alerted_by("alertmanager.example"):
            [run] = await until(there.runs)
            assert (run["state"], run["action"]) == ("awaiting_approval", "notify")
