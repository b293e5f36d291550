"""Pools beside the agent: what they hand on, and what of it becomes an incident."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from xapi.pools import StandInPool, build_pool, guest, running

from xenwatch.agent.pools import Pools, repairable
from xenwatch.base.clock import SystemClock
from xenwatch.config.sections import Config
from xenwatch.config.xapi import XapiSettings
from xenwatch.demo.pool.methods import USERS
from xenwatch.model.fact import Fact
from xenwatch.model.record import Chunk

Bench = Any  # conftest's, which cannot be imported in this import mode


@pytest.fixture
async def pool(tmp_path: Path) -> AsyncIterator[StandInPool]:
    async with running(build_pool(tmp_path)) as serving:
        yield serving


def settings_for(pool: StandInPool, **changed: Any) -> XapiSettings:
    secret = pool.folder / "password"
    secret.write_text(USERS["monitor"][0])
    secret.chmod(0o600)
    given = {
        "urls": (pool.url(),),
        "user": "monitor",
        "password_file": secret,
        "tls_ca": pool.authority.certificate,
        "every": 0.2,
        "call_deadline": 2.0,
        **changed,
    }
    return XapiSettings(**given)


class Handed:
    """What a pool handed on."""

    def __init__(self, pools: dict[str, XapiSettings]) -> None:
        self.lines, self.facts, self.fresh = list[str](), list[Fact](), asyncio.Event()
        self.pools = Pools(Config(xapi=pools), SystemClock(), lambda: self, self.fresh.set)

    def take_facts(self, facts: Sequence[Fact]) -> None:
        self.facts += facts

    def take_lines(self, chunk: Chunk) -> None:
        assert chunk.source.format.name == "xapi"
        self.lines += chunk.data.decode().splitlines()

    def value(self, name: str) -> dict[tuple[str, ...], float]:
        return {s.labels: s.value for s in self.pools.samples() if s.metric.name == name}

    async def until(self, holds: Any) -> None:
        async with asyncio.timeout(30):
            while not holds():
                self.fresh.clear()
                await self.fresh.wait()

    @asynccontextmanager
    async def watching(self) -> AsyncIterator["Handed"]:
        tasks = [asyncio.create_task(part()) for part in self.pools.parts().values()]
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def test_samples_facts_and_a_session_that_is_closed_at_the_end(pool: StandInPool) -> None:
    async with Handed({"prod": settings_for(pool)}).watching() as handed:
        await handed.until(lambda: bool(handed.facts))
        assert handed.value("xen_pool_up") == {("prod",): 1}
    assert {str(fact.subject) for fact in handed.facts} >= {
        "prod:host/dom0",
        "prod:host/xcp1",
        "prod:sr/shared",
        "prod:domain/web0",
    }
    assert handed.lines == []
    assert pool.sessions.by_ref == {}
    assert handed.pools.samples() == []


async def test_a_task_that_fails_and_an_alarm_are_lines_as_xapi_logs_them_once_each(pool: StandInPool) -> None:
    db = pool.database
    db.add("task", name_label="of yesterday", status="failure", error_info=("SR_FULL",))
    async with Handed({"prod": settings_for(pool)}).watching() as handed:
        await handed.until(lambda: handed.value("xen_pool_up") == {("prod",): 1})
        host = db.record("host", pool.hosts[1].ref)["uuid"]
        at = dt.datetime(2026, 11, 30, 9, 8, 58, tzinfo=dt.UTC)
        error = ("VM_REQUIRES_SR", "OpaqueRef:gone", pool.hosts[1].ref)
        db.add(
            "task", name_label="Async.VM.start\nof web0", status="failure", error_info=error, finished=at,
            resident_on=pool.hosts[1].ref,
        )  # fmt: skip
        db.add("message", name="HA_HOST_FAILED", priority=3, cls="Host", obj_uuid=host, body="it\nfailed", timestamp=at)
        await handed.until(lambda: len(handed.lines) > 1)
        handed.fresh.clear()
        await handed.fresh.wait()
    stamp = "20261130T09:08:58.000000Z"
    error_line = f"Server_error(VM_REQUIRES_SR, [ OpaqueRef:gone; {host} ]) ended the task Async.VM.start of web0"
    assert handed.lines == [
        f"[{stamp}|error|xcp2|task|xapi] {error_line}",
        f"[{stamp}|warn||message|xapi_message] Message.create HA_HOST_FAILED 3 Host {host} (xcp2) it failed",
    ]


async def test_events_can_be_switched_off(pool: StandInPool) -> None:
    async with Handed({"prod": settings_for(pool, events=False)}).watching() as handed:
        await handed.until(lambda: handed.value("xen_pool_up") == {("prod",): 1})
        pool.database.add("task", name_label="x", status="failure", error_info=("SR_FULL",))
        pool.database.add("VM", name_label="marker")
        await handed.until(lambda: ("marker", "shutoff", "prod") in handed.value("xen_domain_state"))
    assert handed.lines == []


async def test_a_pool_that_hangs_holds_up_no_other(pool: StandInPool, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    async with running(build_pool(tmp_path / "other", seed=1)) as other:
        pool.hosts[0].hangs = True
        pools = {"hung": settings_for(pool), "well": settings_for(other)}
        async with Handed(pools).watching() as handed:
            await handed.until(lambda: handed.value("xen_pool_up") == {("hung",): 0, ("well",): 1})


async def test_a_refused_password_is_tried_once_and_told_without_the_password(
    pool: StandInPool, caplog: pytest.LogCaptureFixture
) -> None:
    settings = settings_for(pool)
    assert settings.password_file is not None
    settings.password_file.write_text("wrong-secret")
    async with Handed({"prod": settings}).watching() as handed:
        await handed.until(lambda: handed.value("xen_pool_up") == {("prod",): 0})
        await asyncio.sleep(0)
    assert pool.hosts[0].asked.count("session.login_with_password") == 1
    assert "pool prod is not watched" in caplog.text
    assert "SESSION_AUTHENTICATION_FAILED" in caplog.text
    assert "wrong-secret" not in caplog.text


async def test_a_password_file_that_others_may_read_is_not_used(
    pool: StandInPool, caplog: pytest.LogCaptureFixture
) -> None:
    settings = settings_for(pool)
    assert settings.password_file is not None
    settings.password_file.chmod(0o644)
    async with Handed({"prod": settings}).watching() as handed:
        await handed.until(lambda: handed.value("xen_pool_up") == {("prod",): 0})
    assert "chmod 640" in caplog.text
    assert pool.hosts[0].asked == []


async def test_what_is_wrong_in_a_pool_becomes_incidents_of_that_pool_that_nothing_here_repairs(
    bench: Bench, pool: StandInPool
) -> None:
    db, sr = pool.database, "prod:sr/shared"
    pbd = next(ref for ref, one in db.records("PBD").items() if one["host"] == pool.hosts[1].ref)
    db.change("PBD", pbd, currently_attached=False)
    settings = settings_for(pool)
    bench.overrides["xapi.prod.every"] = 5.0
    for key in ("urls", "user", "password_file", "tls_ca"):
        bench.overrides[f"xapi.prod.{key}"] = getattr(settings, key)
    async with bench.running() as run:
        await run.ready()
        await run.until(lambda: any(str(i.diagnosis.subject) == sr for i in run.agent.registry.incidents.values()))
        db.add("task", name_label="Async.VM.snapshot", status="failure", error_info=("SR_FULL", "10", "20"))
        await run.until(lambda: "storage-full" in run.causes())
        text = await run.text("/metrics")
        incidents = list(run.agent.registry.incidents.values())
    assert 'xen_domain_state{domain="web0",state="running",pool="prod"} 1' in text
    assert 'xen_domain_vcpus{domain="web",kind="current"}' in text, "beside the guests of this host"
    assert text.count("# TYPE xen_domain_state ") == 1
    found = {(i.diagnosis.rule, i.diagnosis.subject.host) for i in incidents}
    assert {("sr-detached", "prod"), ("sr-full", "prod")} <= found
    assert repairable(incidents) == [i for i in incidents if i.diagnosis.subject.host is None]
    assert repairable(incidents, ["prod"]) == incidents


async def test_logs_that_the_hosts_of_a_pool_send_by_syslog_are_of_the_pool_and_its_guests(
    bench: Bench, pool: StandInPool, tmp_path: Path
) -> None:
    remote = tmp_path / "remote" / "xcp2"
    remote.mkdir(parents=True)
    uuid = pool.database.record("VM", guest(pool, "web1"))["uuid"]
    bench.overrides["xapi.prod.logs"] = (f"{tmp_path}/remote/*/*.log",)
    settings = settings_for(pool)
    for key in ("urls", "user", "password_file", "tls_ca"):
        bench.overrides[f"xapi.prod.{key}"] = getattr(settings, key)
    bench.overrides["xapi.prod.every"] = 5.0
    async with bench.running() as run:
        await run.ready()
        await run.until(lambda: bool(run.agent._pools.samples()))
        stamp = dt.datetime.now(dt.UTC).astimezone().strftime("%b %e %H:%M:%S")
        (remote / "messages.log").write_text(
            f"{stamp} xcp2 systemd[1]: Started Session 12 of user root.\n"
            f"{stamp} xcp2 kernel: [354.530021] Out of memory: Killed process 2854 (xenopsd-xc) total-vm:912344kB, "
            "anon-rss:201144kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:812kB oom_score_adj:0\n"
            f"{stamp} xcp2 xapi: [debug|xcp2|52 ||xapi_message] Message.create VM_CRASHED 3 VM {uuid}\n"
            f"{stamp} xcp2 xenopsd: Domain 5 has shut down, reason code 3 0x3\n"
        )

        def told() -> set[tuple[str, str]]:
            found = (i.diagnosis for i in run.agent.registry.incidents.values())
            return {(one.class_, str(one.subject)) for one in found}

        await run.until(lambda: {one for one, _ in told()} >= {"dom0-oom", "domain-crashed"})
        found = told()
    assert ("dom0-oom", "prod:host/xcp2") in found
    assert ("domain-crashed", "prod:domain/web1") in found, "by the uuid, which the pool's records have"
    assert not {subject for _, subject in found if subject.endswith("domain/5")}, "a domid is nobody in a pool"
