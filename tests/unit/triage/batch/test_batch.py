"""Many bundles, each alone: one line for each, one summary, and nothing that is wrong with one of them ends the run."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from xenwatch.base.errors import InputError
from xenwatch.cli._each import document_of
from xenwatch.cli._selection import Selection
from xenwatch.cli.main import cli
from xenwatch.triage.batch.bundles import bundles_of
from xenwatch.triage.batch.task import BatchTask, read_bundle
from xenwatch.triage.batch.workers import read_in_workers

BRIDGE = "libxl: error: libxl_device.c:1351:hotplug_child_death_cb: script: Could not find bridge device xenbr7\n"
DISK = "May 18 20:55:03 {host} kernel: [ 10.000000] md/raid1:md0: Disk failure on sdb1, disabling device.\n"
XEN = "(XEN) Xen version 4.17.3 (Debian 4.17.3+10-g091466ba55-1~deb12u1) (pkg-xen-devel@lists) debug=n\n"
UNKNOWN = "libxl: error: libxl_flux.c:12:flux_charge: Domain {id}:cannot charge the flux of '{name}'\n"
CLEAN = "libxl: info: libxl_create.c:122:libxl__domain_build_info_setdefault: Domain 3:qemu-xen is available\n"
TASK = BatchTask(partial(document_of, Selection()))


@pytest.fixture(autouse=True, scope="module")
def _own_cache(tmp_path_factory: pytest.TempPathFactory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def bundles(tmp_path: Path) -> Path:
    """A folder of four bundles: two hosts in trouble, one that is well, one that is no bundle."""
    _bundle(tmp_path / "a", {"xl-web.log": BRIDGE, "hypervisor.log": XEN, "syslog": DISK.format(host="xen1")})
    _bundle(tmp_path / "b", {"xl-mail.log": BRIDGE + UNKNOWN.format(id=4, name="mail")})
    _bundle(tmp_path / "c", {"xl-db.log": CLEAN + UNKNOWN.format(id=9, name="db")})
    (tmp_path / "d").write_bytes(b"\x1f\x8b and then nothing that gzip knows")
    return tmp_path


def _bundle(folder: Path, files: dict[str, str]) -> None:
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)


def run(*words: object) -> Result:
    return CliRunner().invoke(cli, ["diagnose", "-q", "--no-pager", *map(str, words)])


def lines_of(path: Path) -> dict[str, dict[str, Any]]:
    lines = map(json.loads, path.read_text().splitlines())
    return {Path(line["bundle"]).name: line for line in lines}


def test_each_bundle_has_its_line_and_says_what_it_says_alone(bundles: Path, tmp_path_factory):
    results = tmp_path_factory.mktemp("results") / "today.jsonl"
    ended = run("--each", bundles, "--jobs", 2, "--output", results)
    assert ended.exit_code == 1, ended.output
    lines = lines_of(results)
    assert sorted(lines) == ["a", "b", "c", "d"]
    for name in "abc":
        assert lines[name]["report"] == json.loads(run("--format", "json", bundles / name).stdout)
    assert lines["a"]["xen"] == ["4.17.3"]
    assert "damaged" in lines["d"]["error"]


def test_the_summary_counts_by_class_version_and_host_and_puts_unknown_lines_together(bundles: Path):
    ended = run("--each", bundles, "--jobs", 2)
    page = ended.stdout
    assert "Read 3 bundles: 3 failures in 2 of them; 1 bundle could not be read." in page
    assert "2 failures in 2 bundles: vif-bridge-missing 2" in page
    assert "4.17.3" in page
    assert "xen1" in page
    assert "2 lines in 2 bundles" in page
    assert "cannot charge the flux" in page
    assert "a bug in xenwatch" not in page


def test_a_baseline_says_what_is_new_and_what_is_gone(bundles: Path, tmp_path_factory):
    earlier = tmp_path_factory.mktemp("results") / "earlier.jsonl"
    assert run("--each", bundles, "--jobs", 1, "--output", earlier).exit_code == 1
    (bundles / "b/xl-mail.log").write_text(UNKNOWN.format(id=5, name="mail"))
    (bundles / "c/xl-db.log").write_text(BRIDGE.replace("xenbr7", "xenbr9"))
    ended = run("--each", bundles, "--baseline", earlier, "--format", "json")
    assert isinstance(ended.exception, SystemExit), ended.exception
    again = json.loads(ended.stdout)["compared"]
    assert [(new["place"], new["rule"]) for new in again["new"]] == [("c", "vif-bridge-missing")]
    assert [(gone["place"], gone["rule"]) for gone in again["gone"]] == [("b", "vif-bridge-missing")]
    assert again["unread"] == []


def test_the_run_that_one_compares_with_is_never_overwritten(bundles: Path, tmp_path_factory):
    earlier = tmp_path_factory.mktemp("results") / "earlier.jsonl"
    earlier.write_text("")
    ended = run("--each", bundles, "--baseline", earlier, "--output", earlier)
    assert "would overwrite" in str(ended.exception)
    assert earlier.read_text() == ""


def test_a_file_that_no_batch_wrote_is_no_baseline(bundles: Path, tmp_path_factory):
    earlier = tmp_path_factory.mktemp("results") / "earlier.jsonl"
    earlier.write_text('{"bundle": "a", "report": {"incidents": [7]}}\n')
    ended = run("--each", bundles, "--baseline", earlier)
    assert "earlier.jsonl:1: not a line that" in str(ended.exception)


def test_a_folder_a_list_and_a_bundle_can_be_named(bundles: Path):
    everything = [str(bundles / name) for name in "abcd"]
    assert bundles_of([str(bundles)]) == tuple(everything)
    (bundles / ".list").write_text("# those of May\n" + "\n".join(everything[:2]) + "\n/gone/since\n")
    assert bundles_of([str(bundles / ".list")]) == (*everything[:2], "/gone/since")
    assert bundles_of([everything[3], str(bundles)]) == (everything[3], *everything[:3])
    log = bundles / "a/xl-web.log"
    assert bundles_of([str(log)]) == (str(log),)


def test_a_path_that_does_not_exist_is_said_before_anything_is_read(bundles: Path):
    with pytest.raises(InputError, match="no such file or folder: /nowhere"):
        bundles_of([str(bundles), "/nowhere"])
    (bundles / "empty").mkdir()
    with pytest.raises(InputError, match="there is no bundle in"):
        bundles_of([str(bundles / "empty")])


def test_what_is_about_many_bundles_is_refused_for_one(bundles: Path):
    ended = run("--scheduler", "tcp://127.0.0.1:1", bundles / "a")
    assert "only with --each" in str(ended.exception)


def test_what_is_about_one_is_refused_for_many(bundles: Path):
    ended = run("--each", "--host", "xen1", "--format", "html", bundles)
    assert "cannot go together with --host and --format html" in str(ended.exception)


def test_a_selection_holds_for_every_bundle(bundles: Path, tmp_path_factory):
    results = tmp_path_factory.mktemp("results") / "today.jsonl"
    run("--each", bundles, "--since", "all", "--only", "array/md0", "--output", results)
    lines = lines_of(results)
    about = {name: {i["subject"]["name"] for i in lines[name]["report"]["incidents"]} for name in "abc"}
    assert about == {"a": {"md0"}, "b": set(), "c": set()}


def test_a_worker_that_is_killed_costs_the_bundle_that_it_read_and_no_other(bundles: Path):
    fifo = bundles / "0-waits.log"
    os.mkfifo(fifo)
    held = os.open(fifo, os.O_RDWR)
    killer = threading.Thread(target=lambda: os.kill(reader_of(fifo), signal.SIGKILL))
    killer.start()
    try:
        results = {Path(r.bundle).name: r for r in read_in_workers(TASK, bundles_of([str(bundles)]), 1)}
    finally:
        killer.join()
        os.close(held)
    assert "the worker process that read it died: signal 9" in str(results["0-waits.log"].error)
    assert [f.rule for f in results["b"].failures] == ["vif-bridge-missing"]
    assert len(results) == 5


def test_a_batch_that_is_given_up_leaves_no_process_behind(bundles: Path):
    fifo = bundles / "0-waits.log"
    os.mkfifo(fifo)
    held = os.open(fifo, os.O_RDWR)
    results = read_in_workers(TASK, bundles_of([str(bundles)]), 2)
    next(results)
    reader = reader_of(fifo)
    results.close()
    os.close(held)
    assert not Path(f"/proc/{reader}").exists()


def test_a_bug_that_one_bundle_meets_is_its_line():
    task = BatchTask(lambda report: {}[report.exit_code])
    result = read_bundle(task, __file__)
    assert result.report is None
    assert "a bug in xenwatch: KeyError" in str(result.error)


def test_parquet_has_a_row_for_each_incident_and_one_for_a_bundle_without(bundles: Path, tmp_path_factory):
    parquet = pytest.importorskip("pyarrow.parquet")
    results = tmp_path_factory.mktemp("results") / "today.parquet"
    assert run("--each", bundles, "--output", results).exit_code == 1
    rows = parquet.read_table(results).to_pylist()
    bridges = [row for row in rows if row["rule"] == "vif-bridge-missing"]
    assert sorted((Path(row["bundle"]).name, row["name"]) for row in bridges) == [("a", "web"), ("b", "mail")]
    assert [row["error"] is not None for row in rows if row["bundle"].endswith("/d")] == [True]
    assert [row["rule"] for row in rows if row["bundle"].endswith("/c")] == [None]


def reader_of(fifo: Path, seconds: float = 60.0) -> int:
    """The process, other than this one, that has the pipe open."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for pid in _others():
            if _has_open(pid, fifo):
                return pid
        time.sleep(0.05)
    raise TimeoutError(f"nobody reads {fifo}")


def _others() -> Iterator[int]:
    return (int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit() and int(p.name) != os.getpid())


def _has_open(pid: int, fifo: Path) -> bool:
    try:
        return any(str(link.readlink()) == str(fifo) for link in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False
