"""The pages of pools: what a pretend pool tells, as a person reads it."""

import re
from dataclasses import replace
from pathlib import Path

import aiohttp
from hosts.served import Served
from xapi.asking import samples_of
from xapi.pools import GIB, StandInPool, build_pool, guest, halt, running

from xenwatch.demo.pool.pools import add_repository


def words(text: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())


async def read(served: Served, pool: StandInPool) -> None:
    served.pools = {"prod": await samples_of(pool)}


async def test_a_pool_is_shown_with_its_hosts_repositories_and_guests(
    served: Served, client: aiohttp.ClientSession, tmp_path: Path, an_incident
) -> None:
    pool = build_pool(tmp_path)
    db = pool.database
    add_repository(pool, "iscsi1", "lvmoiscsi")
    async with running(pool):
        lost = next(ref for ref, one in db.records("PBD").items() if one["host"] == pool.hosts[1].ref)
        db.change("PBD", lost, currently_attached=False)
        db.change("pool", pool.ref, ha_enabled=True, ha_host_failures_to_tolerate=1, ha_plan_exists_for=0)
        db.change("host", pool.hosts[1].ref, enabled=False)
        db.change("VM", guest(pool, "web1"), name_label="<b>web1</b>", memory_target=GIB)
        halt(pool, guest(pool, "web2"))
        await read(served, pool)
    told = an_incident("web0")
    of_pool = replace(told.diagnosis, subject=told.diagnosis.subject.on("prod"), title="Nobody attached it")
    served.know(replace(told, diagnosis=of_pool), an_incident("local"))
    raw = await (await client.get("/pools/prod")).text()
    page = words(raw)
    assert "High availability is armed: 0 of 1 failed hosts are planned for" in page
    assert "xcp1 master up 1 50 %" in page
    assert "xcp2 in maintenance 1" in page
    assert "shared nfs 40 % 1000.0 GiB 0.5 ms 1.5 ms 1 xcp2" in page
    assert "web2 shutoff" in page
    assert "Nobody attached it , prod:domain/web0" in page
    assert "domain/local" not in page
    assert "<b>web1</b>" not in raw, "what people call their guests stays text"
    assert "&lt;b&gt;web1" in raw
    assert "Control domain" not in page


async def test_all_pools_are_listed_and_one_that_does_not_answer_is_said(
    served: Served, client: aiohttp.ClientSession, tmp_path: Path
) -> None:
    pool = build_pool(tmp_path)
    async with running(pool):
        await read(served, pool)
    served.pools["silent"] = ()
    page = words(await (await client.get("/pools")).text())
    assert "prod yes 2 3 0" in page
    assert "silent no 0 0 0" in page
    assert "Its master does not answer" in words(await (await client.get("/pools/silent")).text())


async def test_without_a_pool_the_menu_has_no_word_of_them_and_the_page_says_how_to_add_one(
    client: aiohttp.ClientSession,
) -> None:
    assert 'href="/pools"' not in await (await client.get("/")).text()
    assert "No pool is watched" in words(await (await client.get("/pools")).text())
    answer = await client.get("/pools/prod")
    assert answer.status == 404
    assert "There is no pool prod" in words(await answer.text())
