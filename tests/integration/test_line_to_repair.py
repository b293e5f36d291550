"""From a line in a log to a verified repair: a whole agent, the command line, real calls of libvirt's test driver.

The driver stands for Xen below; `xl`, which it does not have, is answered from what the driver itself says.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import aiohttp
import libvirt
import pytest
from click.testing import CliRunner

from xenwatch.agent.agent import Agent, ExternalAccess
from xenwatch.base.clock import SystemClock
from xenwatch.cli.audit import COMMAND as AUDIT
from xenwatch.cli.remediation import COMMAND as REMEDIATION
from xenwatch.config.loader import LoadedConfig, load_config
from xenwatch.host.exec.runner import OUTPUT_LIMIT, Completed, SystemRunner
from xenwatch.host.paths import Paths

UUID = "6695eb01-f6a4-8304-79aa-97f2502e193f"
PANIC = "[    4.882101] Kernel panic - not syncing: Fatal exception in interrupt\n"
FINE = "[    4.882101] Run /sbin/init as init process\n"
TOKEN = "a-token-that-is-long-enough"
POLICY = f"""
[remediation]
host = "here"
mode = "%s"
[[guest]]
name = "test"
uuid = "{UUID}"
toolstack = "libvirt"
memory_min_mib = 256
memory_max_mib = 2048
[[rule]]
name = "more-memory-after-a-panic"
mode = "propose"
max_risk = "L1"
[rule.when]
diagnosis = "guest-kernel-panic"
[rule.scope]
selector = "name:test"
[[rule.ladder]]
action = "domain_set_memory"
params = {{mib = "1024"}}
"""


class XlOfTheDriver:
    """`xl list -v` and `xl info` in the words of xl, with the numbers of the test driver; all else really runs."""

    def __init__(self, driver: libvirt.virConnect) -> None:
        self._driver, self._system = driver, SystemRunner()

    async def run(self, argv: Sequence[str], deadline: float, *, limit: int = OUTPUT_LIMIT) -> Completed:
        said = {("xl", "list", "-v"): self._list, ("xl", "info"): self._info}.get(tuple(argv))
        if said is None:
            return await self._system.run(argv, deadline, limit=limit)
        return Completed(tuple(argv), 0, said().encode(), b"")

    def _list(self) -> str:
        rows = ["Name  ID  Mem VCPUs  State  Time(s)  UUID  Reason-Code  Security Label"]
        rows.append("Domain-0  0  1024  2  r-----  10.0  00000000-0000-0000-0000-000000000000  -  -")
        for domain in self._driver.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE):
            _, _, memory_kib, vcpus, nanoseconds = domain.info()
            numbers = f"{domain.ID()}  {memory_kib // 1024}  {vcpus}  -b----  {nanoseconds / 1e9:.1f}"
            rows.append(f"{domain.name()}  {numbers}  {domain.UUIDString()}  -  -")
        return "\n".join(rows) + "\n"

    def _info(self) -> str:
        return f"free_memory            : {self._driver.getInfo()[1]}\n"


class Host:
    """A host with one guest, `test`, of 512 MiB."""

    def __init__(self, folder: Path, mode: str) -> None:
        self.folder, self.driver = folder, libvirt.open("test:///default")
        self.guest = self.driver.lookupByUUIDString(UUID)
        self.guest.setMemory(512 * 1024)
        (folder / "log").mkdir()
        (folder / "policy.toml").write_text(POLICY % mode)
        access = folder / "access.toml"
        access.touch(mode=0o600)
        access.write_text(f'[[person]]\nname = "anna"\nrole = "approver"\ntoken = "{TOKEN}"\n')
        self.config = folder / "xenwatch.toml"
        self.config.write_text(
            f'[agent]\nstate_dir = "{folder}/state"\n[logs]\npaths = ["{folder}/log/*.log"]\njournal = false\n'
            f'[sampling]\nlibvirt_uri = "test:///default"\n[diagnosis]\ncache_dir = "{folder}/cache"\n'
            f'[web]\nlisten = "127.0.0.1:0"\n'
            f'[remediation]\npolicy = "{folder}/policy.toml"\naccess = "{access}"\n'
        )

    @property
    def memory_mib(self) -> int:
        return int(self.guest.info()[2]) // 1024

    def load(self) -> LoadedConfig:
        return load_config(self.config, {})

    def write(self, line: str) -> None:
        with (self.folder / "log" / "guest-test.log").open("a") as log:
            log.write(line)

    def journal(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.folder / "state" / "remediation.db")) as db:
            return db.execute(sql).fetchall()

    @asynccontextmanager
    async def agent(self) -> AsyncIterator[tuple[Agent, aiohttp.ClientSession]]:
        port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        paths, runner = Paths(self.folder / "root"), XlOfTheDriver(self.driver)
        agent = Agent(self.load(), ExternalAccess(SystemClock(), self.load, {}, port.set_result, paths, runner))
        task = asyncio.create_task(agent.run())
        async with aiohttp.ClientSession(f"http://127.0.0.1:{await asyncio.wait_for(port, 30)}") as http:
            try:
                yield agent, http
            finally:
                agent.stop()
                await asyncio.wait_for(task, 30)

    async def states(self, agent: Agent, *wanted: str) -> None:
        """Rounds until the only run has reached one of these states; the deadline only ends a failed test."""
        service = agent.remediation.service
        assert service is not None
        async with asyncio.timeout(60):
            while [run.state for run in await service.runs()] not in [[state] for state in wanted]:
                await agent.remediation.round(service)
                await asyncio.sleep(0.05)

    async def a_round(self, agent: Agent) -> None:
        assert agent.remediation.service is not None
        await agent.remediation.round(agent.remediation.service)

    async def diagnosed(self, agent: Agent) -> None:
        async with asyncio.timeout(60):
            while "guest-kernel-panic" not in {i.diagnosis.rule for i in agent.registry.incidents.values()}:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.01)


@pytest.fixture
def host(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Host]:
    host = Host(tmp_path, getattr(request, "param", "propose"))
    yield host
    host.driver.close()


async def said(*words: str, of: Any) -> str:
    """A word of the command line, in a thread of its own as it brings its own event loop."""
    answer = await asyncio.to_thread(CliRunner().invoke, of, list(words))
    assert answer.exit_code == 0, answer.output
    return answer.output


async def test_a_panic_is_diagnosed_proposed_approved_carried_out_and_verified(host: Host):
    files = ("--policy", str(host.folder / "policy.toml"), "--config", str(host.config))
    async with host.agent() as (agent, http):
        host.write(PANIC)
        await host.diagnosed(agent)
        await host.states(agent, "awaiting_approval")
        assert host.memory_mib == 512
        ((run, plan),) = host.journal("SELECT id, json_extract(proposal, '$.plan_hash') FROM run")
        assert "domain_set_memory on domain/test" in await said("list", *files, of=REMEDIATION)
        await said("approve", *files, run, "--plan-hash", plan, of=REMEDIATION)
        await host.states(agent, "succeeded")
        assert host.memory_mib == 1024
        await host.a_round(agent)
        async with http.get("/metrics") as answer:
            metrics = await answer.text()
        assert 'xenwatch_remediation_runs_total{action="domain_set_memory",result="succeeded"} 1.0' in metrics
    assert "complete: " in await said("--config", str(host.config), "verify", of=AUDIT)


async def test_who_consents_over_http_needs_a_token_and_the_hash_of_the_plan(host: Host):
    async with host.agent() as (agent, http):
        host.write(PANIC)
        await host.diagnosed(agent)
        await host.states(agent, "awaiting_approval")
        ((run, plan),) = host.journal("SELECT id, json_extract(proposal, '$.plan_hash') FROM run")
        url, token = f"/api/v1/remediation/runs/{run}/approve", {"Authorization": f"Bearer {TOKEN}"}
        async with http.post(url, json={"plan_hash": plan}) as answer:
            assert answer.status == 401
        async with http.post(url, json={"plan_hash": "0" * 64}, headers=token) as answer:
            assert answer.status == 400
        assert host.memory_mib == 512
        async with http.post(url, json={"plan_hash": plan}, headers=token) as answer:
            assert answer.status == 200
        await host.states(agent, "succeeded")
        assert host.memory_mib == 1024


@pytest.mark.parametrize("host", ["observe"], indirect=True)
async def test_where_the_policy_only_observes_nothing_is_proposed_and_the_journal_says_what_would_be(host: Host):
    async with host.agent() as (agent, _):
        host.write(PANIC)
        await host.diagnosed(agent)
        service = agent.remediation.service
        assert service is not None
        await host.a_round(agent)
        assert await service.runs() == []
        assert host.memory_mib == 512
    (reason,) = [row[0] for row in host.journal("SELECT reason FROM entry WHERE kind='refused'")]
    assert reason == "mode: the mode is observe; otherwise domain_set_memory of domain/test would be proposed"


async def test_a_guest_without_trouble_is_left_alone(host: Host):
    async with host.agent() as (agent, _):
        host.write(FINE)
        service = agent.remediation.service
        assert service is not None
        async with asyncio.timeout(60):
            while not agent.progress.has_started("logs"):  # noqa: ASYNC110 - threads are waited for
                await asyncio.sleep(0.01)
        await host.a_round(agent)
        assert await service.entries() == []
        assert host.memory_mib == 512


@pytest.mark.parametrize("host", ["observe"], indirect=True)
async def test_a_policy_promoted_by_a_reload_is_in_force(host: Host):
    (host.folder / "policy.toml").write_text(POLICY % "observe")
    async with host.agent() as (agent, _):
        (host.folder / "policy.toml").write_text(POLICY % "propose")
        agent.reload()
        async with asyncio.timeout(60):
            while agent.remediation.service is None or agent.remediation.service.policy.mode != "propose":  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.01)
        host.write(PANIC)
        await host.diagnosed(agent)
        await host.states(agent, "awaiting_approval")


async def test_a_reload_with_a_mistake_in_the_policy_keeps_the_old_one(host: Host, caplog: pytest.LogCaptureFixture):
    async with host.agent() as (agent, _):
        old = agent.remediation.service
        (host.folder / "policy.toml").write_text("surprise = 1\n")
        agent.reload()
        async with asyncio.timeout(60):
            while agent.counters.reload_ok:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.01)
        assert agent.remediation.service is old
    assert "surprise" in caplog.text
