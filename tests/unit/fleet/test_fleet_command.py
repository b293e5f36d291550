"""`xenwatch fleet`: who holds the fleet's budget, and a person frees what failed."""

import asyncio

from click.testing import CliRunner

from xenwatch.cli.main import cli
from xenwatch.fleet.claims import SLOTS

TEXT = '{"host":"xen1","run":"018b-1","target":"domain/web","action":"domain_migrate"}'


async def _put(etcd) -> None:
    client = etcd.connect()
    await client.put(f"{SLOTS}0", TEXT)
    await client.close()


def fleet(etcd, *words: str):
    return CliRunner().invoke(cli, ["fleet", *words], env={"XENWATCH_FLEET_ETCD": ",".join(etcd.endpoints)})


def test_a_slot_is_shown_and_freed_once(etcd):
    asyncio.run(_put(etcd))
    assert fleet(etcd, "show").output == "0  domain_migrate of domain/web on xen1  run 018b-1\n"
    freed = fleet(etcd, "free", "018b")
    assert freed.output == "The slot of run 018b-1 (domain_migrate of domain/web on xen1) is free.\n"
    assert fleet(etcd, "show").output == ""
    assert fleet(etcd, "free", "018b").exit_code != 0


def test_without_an_etcd_it_says_where_to_name_one():
    said = CliRunner().invoke(cli, ["fleet", "show"], env={"XENWATCH_FLEET_ETCD": ""})
    assert said.exit_code != 0
    assert "no etcd is configured" in str(said.exception)
