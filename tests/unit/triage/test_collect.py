import contextlib
import gzip
import io
import json
import os
import tarfile
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from pathlib import Path

import pytest
from hosts.recorded import RECORDED_AT, recorded_host

from xenwatch.config.sections import Config, LogSettings, SamplingSettings
from xenwatch.diagnosis.ruleset import rules_with
from xenwatch.host.exec.runner import Completed
from xenwatch.host.host import Host
from xenwatch.triage.bundle.collect import collect
from xenwatch.triage.bundle.host_record import FILE, read_host_record
from xenwatch.triage.bundle.reader import Bundle
from xenwatch.triage.bundle.snapshot_file import read_snapshot, write_snapshot
from xenwatch.triage.diagnose import diagnose
from xenwatch.triage.live_probe import look_through

BRIDGE = (
    "libxl: error: libxl_device.c:1351:device_hotplug_child_death_cb: script: Could not find bridge device xenbr7\n"
)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def config_for(folder: Path) -> Config:
    return Config(logs=LogSettings(paths=(f"{folder}/*.log",)), sampling=SamplingSettings(libvirt_uri=""))


async def bundle_of(folder: Path, **options: object) -> bytes:
    into = io.BytesIO()
    async with recorded_host() as host:
        await collect(host, config_for(folder), into, **options)  # type: ignore[arg-type]
    return into.getvalue()


def members(data: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {m.name.partition("/")[2]: archive.extractfile(m).read() for m in archive}  # type: ignore[union-attr]


async def test_elsewhere_diagnose_finds_in_the_bundle_what_it_finds_here(tmp_path: Path, cache: Path):
    logs = tmp_path / "log"
    logs.mkdir()
    (logs / "xl-web.log").write_text(BRIDGE)
    rules = rules_with([], cache)
    async with recorded_host() as host:
        live = await look_through(host, config_for(logs))
    here = diagnose([str(logs / "xl-web.log")], rules, cache=cache, live=live)
    (tmp_path / "b.tar.gz").write_bytes(await bundle_of(logs))
    there = diagnose([str(tmp_path / "b.tar.gz")], rules, cache=cache)

    def told(report):
        return {(i.diagnosis.rule, str(i.diagnosis.subject)) for i in report.causes}

    assert ("vif-bridge-missing", "domain/web") in told(here)
    assert told(there) == told(here)
    assert {"xl list", "xl info", "snapshot", "brctl show"} <= {f.partition(" (")[0] for f in there.facts}


async def test_facts_of_the_bundle_are_those_of_the_host(tmp_path: Path):
    (tmp_path / "b.tar.gz").write_bytes(await bundle_of(tmp_path))
    async with recorded_host() as host:
        live = await look_through(host, config_for(tmp_path))
    read = {
        (f.name, str(f.subject)): f.value
        for e in Bundle([str(tmp_path / "b.tar.gz")], now=0).entries()
        for f in e.facts
    }
    for name in ("bridge.names", "domain.names", "memory.total_bytes", "xen.caps"):
        here = next(f.value for f in live.facts if f.name == name)
        there = read[name, "host/dom0"]
        assert (sorted(there) if isinstance(there, tuple) else there) == (
            sorted(here) if isinstance(here, tuple) else here
        )


async def journalctl(argv: Sequence[str]) -> AsyncGenerator[bytes, None]:
    """Two boots, newest first: the bridge was missing in the one before."""
    assert argv[:2] == ["journalctl", "--reverse"]
    lines = [
        ("b", 1_795_381_800, "kernel", "Linux version 6.1.0-28-amd64"),
        ("a", 1_795_381_700, "kernel", "md/raid1:md0: Disk failure on sdb1, disabling device."),
        ("a", 1_795_381_690, "root", "/etc/xen/scripts/vif-bridge: secret=hunter2 Could not find bridge device xenbr7"),
    ]
    for boot, at, name, text in lines:
        entry = {"__CURSOR": f"s={at}", "__REALTIME_TIMESTAMP": f"{at}000000", "_BOOT_ID": boot, "_HOSTNAME": "xen1"}
        yield json.dumps(entry | {"SYSLOG_IDENTIFIER": name, "MESSAGE": text}).encode() + b"\n"


@contextlib.asynccontextmanager
async def host_with_a_journal() -> AsyncIterator[Host]:
    async with recorded_host() as host:
        host.paths.at("run/systemd/journal").mkdir(parents=True)
        host.paths.at("var/log/journal").mkdir(parents=True)
        real = host.runner.run

        async def run(argv: Sequence[str], deadline: float, *, limit: int = 0) -> Completed:
            return Completed(tuple(argv), 0, b"", b"") if argv[0] == "journalctl" else await real(argv, deadline)

        host.runner.run = run  # type: ignore[method-assign]
        yield host


async def test_where_no_syslog_is_written_the_journal_of_each_boot_is_in_the_bundle(tmp_path: Path, cache: Path):
    into = io.BytesIO()
    async with host_with_a_journal() as host:
        await collect(host, config_for(tmp_path), into, spawn=journalctl)
    found = members(into.getvalue())
    assert [name for name in found if name.startswith("journal/")] == ["journal/journal.log.1", "journal/journal.log"]
    assert found["journal/journal.log"].endswith(b"xen1 kernel: Linux version 6.1.0-28-amd64\n")
    assert b"hunter2" not in found["journal/journal.log.1"]
    (tmp_path / "b.tar.gz").write_bytes(into.getvalue())
    report = diagnose([str(tmp_path / "b.tar.gz")], rules_with([], cache), cache=cache)
    assert {(f.path.rpartition("/")[2], f.format) for f in report.files} >= {
        ("journal.log.1", "syslog"),
        ("journal.log", "syslog"),
    }
    assert "vif-bridge-missing" in {i.diagnosis.rule for i in report.incidents}


async def test_live_the_journal_is_read_with_the_boot_before_the_crash(tmp_path: Path, cache: Path):
    async with host_with_a_journal() as host:
        live = await look_through(host, config_for(tmp_path), journal=1 << 20, spawn=journalctl)
    report = diagnose([], rules_with([], cache), cache=cache, live=live)
    assert [(file.path, file.format, file.lines) for file in report.files] == [
        ("journal boot -1", "syslog", 2),
        ("journal", "syslog", 1),
    ]
    assert "vif-bridge-missing" in {i.diagnosis.rule for i in report.incidents}
    assert not [skipped for skipped in report.unasked if skipped.path == "journal"]


async def test_beside_a_syslog_file_that_is_written_the_journal_is_left_alone(tmp_path: Path):
    (tmp_path / "syslog.log").write_text("Nov 23 01:00:00 xen1 kernel: hello\n")
    os.utime(tmp_path / "syslog.log", (RECORDED_AT, RECORDED_AT))
    async with host_with_a_journal() as host:
        live = await look_through(host, config_for(tmp_path), journal=1 << 20, spawn=journalctl)
    assert live.boots == ()
    assert not [skipped for skipped in live.silent if skipped.path == "journal"]


async def test_a_host_with_neither_syslog_nor_journal_says_that_it_has_none(tmp_path: Path):
    async with recorded_host() as host:
        live = await look_through(host, config_for(tmp_path), journal=1 << 20)
    assert [skipped.reason for skipped in live.silent if skipped.path == "journal"] == [
        (
            "this host has no journal and no syslog file that is still written: "
            "messages of the kernel and of daemons were not read"
        )
    ]


async def test_a_journal_that_is_kept_in_memory_only_is_told(tmp_path: Path):
    async with host_with_a_journal() as host:
        host.paths.at("var/log/journal").rmdir()
        live = await look_through(host, config_for(tmp_path), journal=1 << 20, spawn=journalctl)
    assert [s for s in live.silent if s.path == "journal" and s.reason.startswith("earlier boots")]


async def test_how_far_the_questions_are_is_told_on_the_way(tmp_path: Path):
    said: list[str] = []
    async with recorded_host() as host:
        await look_through(host, config_for(tmp_path), progress=said.append)
    count = len(said)
    assert said[-1] == f"asking this host: {count} of {count} answered"


async def test_a_snapshot_comes_back_from_its_text_as_it_was():
    async with recorded_host() as host:
        snapshot = (await look_through(host, config_for(Path("/nowhere")))).snapshot
    back = read_snapshot(write_snapshot(snapshot))
    assert back.at == RECORDED_AT
    assert set(back.samples) == set(snapshot.samples)


async def test_secrets_are_gone_from_every_member_and_counted(tmp_path: Path):
    (tmp_path / "xend.log").write_text("[2012-11-22 20:11:13 2854] DEBUG (x:1) (vfb (vncpasswd s3cret1))\n")
    found = members(await bundle_of(tmp_path))
    assert not [name for name, data in found.items() if b"s3cret1" in data]
    assert b"1 secret or address was replaced" in found["README.txt"]


async def test_with_masked_addresses_no_address_of_the_host_is_left(tmp_path: Path):
    (tmp_path / "xl.log").write_text("vif mac 00:16:3e:5e:6c:00 bridge xenbr0 192.0.2.17\n")
    found = b"".join(members(await bundle_of(tmp_path, addresses=True)).values())
    assert b"00:16:3e:5e:6c:00" not in found
    assert b"192.0.2.17" not in found


async def test_the_newest_logs_are_kept_within_the_limit_and_the_rest_is_named(tmp_path: Path):
    for age, name in enumerate(("new.log", "old.log")):
        (tmp_path / name).write_text(f"{name} line\n" * 20_000)
        os.utime(tmp_path / name, (1000.0 - age, 1000.0 - age))
    data = await bundle_of(tmp_path, limit=350_000)
    found = members(data)
    assert sum(map(len, found.values())) <= 350_000 + 4096  # its README comes on top
    kept = next(body for name, body in found.items() if name.endswith("new.log"))
    assert kept.endswith(b"new.log line\n")
    assert b"old.log" in found["README.txt"]


async def test_rotated_and_packed_logs_come_along_and_links_do_not(tmp_path: Path):
    (tmp_path / "xend.log").write_text("now\n")
    (tmp_path / "xend.log.1").write_text("before\n")
    (tmp_path / "xend.log.2.gz").write_bytes(gzip.compress(b"long before\n"))
    (tmp_path / "shadow.log").symlink_to("/etc/shadow")
    names = [name.rpartition("/")[2] for name in members(await bundle_of(tmp_path)) if name.startswith("logs/")]
    assert names == ["xend.log.2", "xend.log.1", "xend.log"]


async def test_a_torn_packed_log_costs_only_itself(tmp_path: Path):
    (tmp_path / "a.log.1.gz").write_bytes(gzip.compress(b"x" * 100_000)[:50])
    (tmp_path / "b.log").write_text("b\n")
    found = members(await bundle_of(tmp_path))
    assert any(name.endswith("b.log") for name in found)
    assert b"a.log.1.gz" in found["README.txt"]


async def test_the_bundle_says_which_host_it_is_of_before_anything_else(tmp_path: Path):
    into = io.BytesIO()
    async with recorded_host() as host:
        own = host.paths.at("proc/sys/kernel/hostname")
        own.parent.mkdir(parents=True, exist_ok=True)
        own.write_text("xen1.example.org\n")
        await collect(host, config_for(tmp_path), into)
    first, record = next(iter(members(into.getvalue()).items()))
    assert first == FILE
    assert read_host_record(record) == "xen1"


async def test_a_host_without_a_name_of_its_own_writes_none(tmp_path: Path):
    assert FILE not in members(await bundle_of(tmp_path))
