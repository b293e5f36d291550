"""What a host tells the fleet of what it shares with others, from its files and from the last snapshot."""

import asyncio
from pathlib import Path

import pytest

from xenwatch.agent.join_facts import join_facts, tell_facts
from xenwatch.base.clock import SystemClock
from xenwatch.host.paths import Paths
from xenwatch.model.sample import Metric, Sample, Snapshot
from xenwatch.sampling.collectors import domain, hypervisor, iscsi

SR = "6b7a3c04-3d3c-8b1f-0d3a-2f7b2d1f6a11"
FILES = {
    "proc/mounts": (
        "/dev/sda1 / ext4 rw 0 0\n"
        "10.0.0.9:/srv/vm /mnt/vm nfs4 rw,vers=4.2 0 0\n"
        f"[fd00::9]:/sr /run/sr-mount/{SR} nfs rw 0 0\n"
    ),
    "dev/disk/by-id/lvm-pv-uuid-Yk3RfC-0DHq-vRhL-8cJl-CxWv-Zb3m-Ah5bX1": "",
    f"etc/lvm/backup/VG_XenStorage-{SR}": "",
    "etc/lvm/backup/vg0": "",
    "sys/block/dm-0/dm/uuid": "mpath-36001405a1b2c3d4\n",
    "sys/block/dm-0/dm/name": "mpatha\n",
    "sys/block/dm-1/dm/uuid": "LVM-abc\n",
    "proc/net/vlan/config": (
        "VLAN Dev name    | VLAN ID\nName-Type: VLAN_NAME_TYPE_RAW_PLUS_VID_NO_PAD\neth0.100       | 100  | eth0\n"
    ),
    "etc/chrony/chrony.conf": "# server not.this.one\nserver 10.0.0.1 iburst\npool de.pool.ntp.org\ndriftfile /x\n",
    "proc/sys/kernel/osrelease": "6.1.0-13-amd64\n",
    "etc/xensource/ptoken": "secret-of-the-pool",
}


@pytest.fixture
def host(tmp_path: Path) -> Paths:
    for name, text in FILES.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return Paths(tmp_path)


def snapshot(*said: tuple[Metric, tuple[str, ...]]) -> Snapshot:
    return Snapshot(0.0, tuple(Sample(metric, labels, 1.0) for metric, labels in said))


def test_a_host_tells_what_its_files_say(host: Paths):
    facts = join_facts(host, None)
    pool = facts.pop("xapi-pool")
    assert facts == {
        "nfs": ["10.0.0.9:/srv/vm", "[fd00::9]:/sr"],
        "nfs-server": ["10.0.0.9", "[fd00::9]"],
        "sr": [SR, SR],
        "lvm": ["Yk3RfC-0DHq-vRhL-8cJl-CxWv-Zb3m-Ah5bX1", f"VG_XenStorage-{SR}"],
        "wwid": ["mpatha=36001405a1b2c3d4"],
        "vlan": ["eth0.100=100"],
        "ntp": ["10.0.0.1", "de.pool.ntp.org"],
        "kernel": ["6.1.0-13-amd64"],
    }
    assert "secret" not in str(pool)


def test_guests_that_run_are_told_and_copies_of_a_migration_are_not(tmp_path: Path):
    taken = snapshot(
        (domain.INFO, ("Domain-0", "00000000-0000-0000-0000-000000000000", "0")),
        (domain.INFO, ("web", "6695eb01", "7")),
        (domain.INFO, ("db", "1b2f", "")),
        (domain.INFO, ("mail--incoming", "77aa", "9")),
        (hypervisor.INFO, ("4.17.5", "", "", "", "", "")),
        (iscsi.UP, ("iqn.2001-05.com.example:vm", "10.0.0.5:3260")),
    )
    assert join_facts(Paths(tmp_path), taken) == {
        "guest": ["web=6695eb01"],
        "xen": ["4.17.5"],
        "iscsi": ["iqn.2001-05.com.example:vm"],
        "iscsi-portal": ["10.0.0.5:3260"],
    }


async def test_what_cannot_be_read_is_tried_again_and_ends_nothing():
    told: list[object] = []

    def read() -> dict[str, list[str]]:
        raise OSError("stale file handle")

    async def no_switches() -> list[str]:
        return []

    task = asyncio.create_task(tell_facts(told.append, read, no_switches, SystemClock()))
    await asyncio.sleep(0.2)
    assert not task.done()
    assert told == []
    task.cancel()
