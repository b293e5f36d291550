"""File systems of dom0: those that something needs are counted, and a server that is gone holds nobody up."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xenwatch.base.clock import SystemClock
from xenwatch.base.errors import TimedOut
from xenwatch.host.exec.runner import OUTPUT_LIMIT, Completed, SystemRunner
from xenwatch.host.host import build_host
from xenwatch.host.paths import Paths
from xenwatch.sampling.catalogue import all_collectors

MOUNTS = "proc/mounts = /dev/vda / ext4 rw 0 0\\ntmpfs /tmp tmpfs rw 0 0\\n/dev/vdb /srv/backup ext4 rw 0 0\\n"


async def test_the_file_system_that_dom0_needs_is_counted_and_another_is_not(bench: Any) -> None:
    bench.files(MOUNTS)
    bench.command("stat -f -c", "4096 2500000 0 655360 655000\n")
    found = await bench.begin("filesystems")()
    assert found["xen_dom0_filesystem_size_bytes"] == {("/",): 10_240_000_000}
    assert found["xen_dom0_filesystem_avail_bytes"] == {("/",): 0}
    assert found["xen_dom0_filesystem_files_free"] == {("/",): 655_000}


async def test_one_without_inodes_has_no_number_of_them(bench: Any) -> None:
    bench.files("proc/mounts = /dev/vda / btrfs rw 0 0\\n")
    bench.command("stat -f -c", "4096 2500000 100 0 0\n")
    assert "xen_dom0_filesystem_files" not in await bench.begin("filesystems")()


async def test_a_real_file_system_answers_with_what_df_says(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "proc").mkdir(parents=True)
    (root / "proc/mounts").write_text("/dev/vda / ext4 rw 0 0\n")
    host = build_host(SystemClock(), Paths(root), SystemRunner(), toolstack=None, libvirt_uri=None)
    values = {s.metric.name: s.value for s in await all_collectors()["filesystems"].begin()(host)}
    df = await SystemRunner().run(("df", "--output=size", "-B1", str(root)), 10.0)
    assert values["xen_dom0_filesystem_size_bytes"] == float(df.text.split()[-1])


class DeadServer:
    """`stat` on the mount of a server that is gone never ends; a local one answers."""

    async def run(self, argv: Sequence[str], deadline: float, *, limit: int = OUTPUT_LIMIT) -> Completed:
        if argv[-1].endswith("/var/log"):
            raise TimedOut(f"stat did not answer within {deadline:g} s")
        return Completed(tuple(argv), 0, b"4096 1000 500 100 50\n", b"")


async def test_a_server_that_is_gone_costs_its_own_numbers_only(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/mounts").write_text("/dev/vda / ext4 rw 0 0\nnas:/log /var/log nfs rw 0 0\n")
    host = build_host(SystemClock(), Paths(tmp_path), DeadServer(), toolstack=None, libvirt_uri=None)
    samples = await all_collectors()["filesystems"].begin()(host)
    assert {s.labels for s in samples} == {("/",)}
