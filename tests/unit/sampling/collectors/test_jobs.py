"""Jobs on guests, and guests that run otherwise than configured."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from xenwatch.base.clock import SystemClock
from xenwatch.base.errors import Unsupported
from xenwatch.host.exec.runner import SystemRunner
from xenwatch.host.host import Host, build_host
from xenwatch.host.inventory import Domain, DomainInventory
from xenwatch.host.kernel.processes import Process, named
from xenwatch.host.paths import Paths
from xenwatch.sampling.collectors.drift import COLLECTOR as DRIFT
from xenwatch.sampling.collectors.jobs import COLLECTOR as JOBS
from xenwatch.sampling.collectors.jobs import of_xl

WEB, DB = Domain("web", None, 3, "running"), Domain("db", None, 4, "running")
GUESTS = DomainInventory(0.0, (WEB, DB), by_domid={3: WEB, 4: DB}, names=frozenset({"web", "db"}))


def xl(words: str, started: float = 1000.0) -> Process:
    return Process(9, ("/usr/sbin/xl", *words.split()), 0.0, 0, 1, started)


@pytest.mark.parametrize(
    ("words", "job"),
    [
        ("save web /var/lib/xen/save/web", ("web", "save")),
        ("-v save -c 3 /var/lib/xen/save/web", ("web", "save")),
        ("migrate -s ssh -C /etc/xen/db.cfg --debug db other", ("db", "migrate")),
        ("dump-core 4 /var/lib/xen/dump/db", ("db", "dump-core")),
    ],
)
def test_a_save_a_migration_and_a_dump_by_xl_are_jobs_of_their_guest(words: str, job: tuple[str, str]) -> None:
    assert dict(of_xl([xl(words)], GUESTS, uptime=1030.0)) == {job: 30.0}


@pytest.mark.parametrize(
    "words", ["create /etc/xen/web.cfg", "restore /save/web", "save gone /f", "save", "", "list web"]
)
def test_a_monitor_a_stranger_and_a_torn_command_are_no_jobs(words: str) -> None:
    assert dict(of_xl([xl(words)], GUESTS, uptime=1030.0)) == {}


def test_processes_are_found_by_their_short_name(tmp_path: Path) -> None:
    stat = "1 (xl) S 1 1 1 0 -1 0 0 0 0 0 150 50 0 0 20 0 3 0 1000 4096 25 0"
    for pid, comm in ((7, "xl\n"), (8, "xlogger\n"), (9, "xl\n")):
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "comm").write_text(comm)
        (tmp_path / str(pid) / "stat").write_text(stat)
    (tmp_path / "7/cmdline").write_text("xl\0save\0web\0f\0")
    assert [(one.pid, one.command[1]) for one in named(tmp_path, b"xl")] == [(7, "save")]


async def test_on_a_host_with_neither_toolstack_there_are_no_jobs_to_tell(bench: Any) -> None:
    with pytest.raises(Unsupported):
        await bench.begin("jobs")()


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[Host]:
    node = tmp_path / "node.xml"
    guest = "<memory>524288</memory><vcpu>2</vcpu><os><type>hvm</type></os>"
    domains = "".join(f"<domain type='test'><name>{name}</name>{guest}</domain>" for name in ("web", "db"))
    node.write_text(f"<node>{domains}</node>")
    host = build_host(SystemClock(), Paths(tmp_path), SystemRunner(), toolstack=None, libvirt_uri=f"test://{node}")
    yield host
    await host.close()


async def test_a_driver_without_jobs_is_not_asked_again(host: Host) -> None:
    with pytest.raises(Unsupported):
        await JOBS.begin()(host)
    assert host.libvirt is not None
    assert "domainGetJobInfo" in host.libvirt.stats.unsupported


async def test_a_guest_whose_memory_was_changed_only_while_it_runs_drifts_and_its_neighbour_does_not(
    host: Host,
) -> None:
    assert host.libvirt is not None
    read = DRIFT.begin()
    assert {sample.value for sample in await read(host)} == {0.0}
    await host.libvirt.run("shrink", lambda s: s.connection.lookupByName("web").setMemory(262144), 5.0)
    assert {sample.labels for sample in await read(host) if sample.value} == {("web", "current_memory")}


async def test_without_libvirt_nobody_keeps_a_configuration_to_compare(bench: Any) -> None:
    with pytest.raises(Unsupported):
        await bench.begin("drift")()
