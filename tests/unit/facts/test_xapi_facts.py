"""Facts of a pool: each of XO Health's checks on a pool where it is wrong, and on one where all is well."""

import datetime as dt
from pathlib import Path

import pytest
from xapi.pools import GIB, StandInPool, build_pool, guest

from xenwatch.demo.pool.wire import plain
from xenwatch.facts.xapi import POOLS_ALONE, pool_facts
from xenwatch.host.xapi.names import PoolNames
from xenwatch.host.xapi.records import PoolRecords

NOW = dt.datetime(2026, 11, 30, tzinfo=dt.UTC)


def facts(pool: StandInPool, clocks: dict[str, float] | None = None) -> dict[tuple[str, str], object]:
    records = PoolRecords()
    for class_ in pool.database.objects:
        for ref, record in pool.database.records(class_).items():
            records.put(class_.lower(), ref, plain(record, xml=False))
    found = pool_facts(records, PoolNames(records), "prod", NOW.timestamp(), clocks)
    return {(fact.name, str(fact.subject)): fact.value for fact in found}


@pytest.fixture
def pool(tmp_path: Path) -> StandInPool:
    return build_pool(tmp_path)


def test_every_fact_of_a_pool_is_known_to_be_a_pools_so_that_no_host_is_checked_for_it(pool: StandInPool) -> None:
    assert [name for name, _ in facts(pool) if not name.startswith(POOLS_ALONE)] == []


def test_a_pool_where_all_is_well(pool: StandInPool) -> None:
    found = facts(pool)
    assert found["host.live", "prod:host/xcp1"] is True
    assert found["pool.versions", "prod:host/dom0"] == ("8.3.0 24.39 4.17.5-3",)
    assert found["sr.detached_from", "prod:sr/shared"] == found["sr.paths_missing_on", "prod:sr/shared"] == ()
    assert found["sr.free_ratio", "prod:sr/shared"] == pytest.approx(0.6)
    assert found["vm.snapshots", "prod:domain/web0"] == found["vm.oldest_snapshot_days", "prod:domain/web0"] == 0
    assert found["vm.tools", "prod:domain/web0"] is True
    assert found["host.control_domain_disks", "prod:host/xcp1"] == ()
    for name in ("orphan_snapshots", "orphan_disk_snapshots", "unused_disks"):
        assert found[f"pool.{name}", "prod:host/dom0"] == ()
    assert found["sr.missing_disks", "prod:sr/shared"] == ()
    assert found["pool.default_sr", "prod:host/dom0"] == "shared"
    assert ("pool.ha_failures_uncovered", "prod:host/dom0") not in found, "nothing is to be survived"


def test_snapshots_many_old_and_of_nobody(pool: StandInPool) -> None:
    db, web0 = pool.database, guest(pool, "web0")
    for days in (1, 40):
        at = NOW - dt.timedelta(days=days)
        db.add("VM", name_label=f"{days}", is_a_snapshot=True, snapshot_of=web0, snapshot_time=at)
    db.add("VM", name_label="left", is_a_snapshot=True, snapshot_of="OpaqueRef:gone", snapshot_time=NOW)
    db.add("VDI", name_label="left disk", is_a_snapshot=True, snapshot_of="OpaqueRef:gone")
    found = facts(pool)
    assert found["vm.snapshots", "prod:domain/web0"] == 2
    assert found["vm.oldest_snapshot_days", "prod:domain/web0"] == 40
    assert found["pool.orphan_snapshots", "prod:host/dom0"] == ("left",)
    assert found["pool.orphan_disk_snapshots", "prod:host/dom0"] == ("left disk",)


def test_disks_of_nobody_missing_ones_and_those_that_a_backup_left_on_dom0(pool: StandInPool) -> None:
    db = pool.database
    sr = next(iter(db.records("SR")))
    db.add("VDI", SR=sr, name_label="forgotten", virtual_size=GIB)
    db.add("VDI", SR=sr, name_label="lost", missing=True, managed=False)
    left = db.add("VDI", SR=sr, name_label="web xvda")
    db.add("VBD", VM=db.record("host", pool.hosts[0].ref)["control_domain"], VDI=left, currently_attached=True)
    iso = db.add("VDI", SR=sr, name_label="tools.iso")
    db.add("VBD", VM=db.record("host", pool.hosts[1].ref)["control_domain"], VDI=iso, type="CD")
    found = facts(pool)
    assert found["pool.unused_disks", "prod:host/dom0"] == ("forgotten",)
    assert found["sr.missing_disks", "prod:sr/shared"] == ("lost",)
    assert found["host.control_domain_disks", "prod:host/xcp1"] == ("web xvda",)
    assert found["host.control_domain_disks", "prod:host/xcp2"] == ()


def test_storage_that_a_host_lacks_or_has_by_fewer_paths(pool: StandInPool) -> None:
    db = pool.database
    first, second = db.records("PBD")
    db.change("PBD", first, other_config={"multipathed": "true", "mpath-3600a0b80": "[3, 4]", "iscsi_sessions": "2"})
    db.change("PBD", second, currently_attached=False, other_config={"mpath-3600a0b80": "[4, 4]"})
    found = facts(pool)
    assert found["sr.paths_missing_on", "prod:sr/shared"] == ("xcp1",)
    assert found["sr.detached_from", "prod:sr/shared"] == ("xcp2",)


def test_mac_addresses_of_guests_that_run(pool: StandInPool) -> None:
    db, web1 = pool.database, guest(pool, "web1")
    shared = next(one["MAC"] for one in db.records("VIF").values() if one["VM"] == guest(pool, "web0"))
    db.add("VIF", VM=web1, device="2", MAC=shared.upper())
    found = facts(pool)
    assert shared in found["vm.macs", "prod:domain/web1"]  # type: ignore[operator]
    db.change("VM", web1, power_state="Halted")
    assert facts(pool)["vm.macs", "prod:domain/web1"] == ()


def test_tools_are_not_missed_of_a_guest_that_was_just_started_or_is_off(pool: StandInPool) -> None:
    db = pool.database
    for name in ("web0", "web1", "web2"):
        db.change("VM_guest_metrics", db.record("VM", guest(pool, name))["guest_metrics"], PV_drivers_detected=False)
    db.change("VM_metrics", db.record("VM", guest(pool, "web1"))["metrics"], start_time=NOW - dt.timedelta(minutes=2))
    db.change("VM", guest(pool, "web2"), power_state="Halted")
    found = facts(pool)
    assert found["vm.tools", "prod:domain/web0"] is False
    assert ("vm.tools", "prod:domain/web1") not in found
    assert ("vm.tools", "prod:domain/web2") not in found


def test_high_availability_that_has_no_plan_and_a_host_that_sees_no_peer(pool: StandInPool) -> None:
    db = pool.database
    db.change("pool", pool.ref, ha_enabled=True, ha_host_failures_to_tolerate=2, ha_plan_exists_for=1)
    first, second = (db.record("host", host.ref)["uuid"] for host in pool.hosts)
    db.change("host", pool.hosts[0].ref, ha_network_peers=(first, second))
    db.change("host", pool.hosts[1].ref, ha_network_peers=(second,))
    found = facts(pool)
    assert found["pool.ha_failures_uncovered", "prod:host/dom0"] == 1
    assert found["host.ha_peers_unseen", "prod:host/xcp1"] == ()
    assert found["host.ha_peers_unseen", "prod:host/xcp2"] == ("xcp1",)


def test_versions_that_differ(pool: StandInPool) -> None:
    pool.database.change("host", pool.hosts[1].ref, software_version={"product_version": "8.2.1"})
    assert len(facts(pool)["pool.versions", "prod:host/dom0"]) == 2  # type: ignore[arg-type]


def test_a_pool_without_a_default_repository(pool: StandInPool) -> None:
    pool.database.change("pool", pool.ref, default_SR="OpaqueRef:NULL")
    assert facts(pool)["pool.default_sr", "prod:host/dom0"] == ""


def test_how_far_the_clocks_of_the_hosts_are_from_their_middle(pool: StandInPool) -> None:
    clocks = {pool.hosts[0].ref: -0.4, pool.hosts[1].ref: 61.44, "OpaqueRef:gone": 5.0}
    found = facts(pool, clocks)
    assert found["host.clock_ahead_seconds", "prod:host/xcp1"] == -0.4
    assert found["host.clock_ahead_seconds", "prod:host/xcp2"] == 61.4
