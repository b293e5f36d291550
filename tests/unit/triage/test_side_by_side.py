"""Large files are scanned by several processes, and nothing in the report shows it."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from xenwatch.cli.report.as_json import document
from xenwatch.diagnosis.matching.scanned import LogScanner
from xenwatch.diagnosis.rules.cache import load_library
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.diagnosis.ruleset import shipped_rules
from xenwatch.triage import large_files, scan_worker, side_by_side
from xenwatch.triage.diagnose import diagnose
from xenwatch.triage.large_files import jobs_for
from xenwatch.triage.scan_worker import ScanTask, scan_file

LOGS = Path(__file__).parents[2] / "logs"
_WRITTEN = 1_700_000_000
Report = Callable[[Path, int], dict[str, Any]]


@pytest.fixture(scope="module")
def rules() -> tuple[Rule, ...]:
    """Of two areas: all of them take a minute to compile."""
    return load_library([shipped_rules() / "toolstack", shipped_rules() / "boot"])


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Real lines of five formats, more than one chunk of each, of one host."""
    monkeypatch.setattr(large_files, "LEAST_FILE", 1)
    folder = tmp_path / "bundle"
    folder.mkdir()
    for format_, name in (
        ("xend", "xend.log"),
        ("libxl", "xl-web.log"),
        ("syslog", "messages"),
        ("hypervisor", "xl-dmesg.txt"),
        ("kernel", "kern.log"),
    ):
        lines = (LOGS / format_ / "lines.log").read_bytes().rstrip(b"\n") + b"\n"
        (folder / name).write_bytes(lines * (150_000 // len(lines) + 1))
        os.utime(folder / name, (_WRITTEN, _WRITTEN))
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def report(rules: tuple[Rule, ...], cache: Path) -> Report:
    return lambda bundle, jobs: document(diagnose([str(bundle)], rules, cache=cache, jobs=jobs))


def test_two_processes_report_what_one_does(bundle: Path, report: Report):
    alone = report(bundle, 1)
    assert len(alone["incidents"]) > 2
    assert report(bundle, 2) == alone


def test_a_worker_that_dies_costs_time_and_nothing_of_the_report(
    bundle: Path, report: Report, monkeypatch: pytest.MonkeyPatch
):
    alone, begun = report(bundle, 1), scan_worker.Worker.give

    def give_and_kill(worker: scan_worker.Worker, file: str) -> None:
        begun(worker, file)
        if file.endswith("kern.log"):
            worker._process.kill()

    monkeypatch.setattr(side_by_side.Worker, "give", give_and_kill)
    assert report(bundle, 2) == alone


def test_members_of_archives_are_scanned_by_workers_as_well(bundle: Path, report: Report, tmp_path: Path):
    packed = tmp_path / "packed"
    packed.mkdir()
    for host in ("one", "two"):
        shutil.make_archive(str(packed / host), "gztar", bundle)
    assert report(packed, 2) == report(packed, 1)


def test_a_log_from_which_too_much_follows_is_left_to_the_one_who_asked(
    bundle: Path, rules: tuple[Rule, ...], cache: Path, monkeypatch: pytest.MonkeyPatch
):
    scanner = LogScanner(rules, cache=cache, several_hosts=True)
    task = ScanTask(rules, cache, float(_WRITTEN), 0.0, None)
    assert scan_file(task, scanner, str(bundle / "messages"))
    monkeypatch.setattr(scan_worker, "MOST_HELD", 1000)
    assert not scan_file(task, scanner, str(bundle / "messages"))


def test_little_is_read_by_one_process_unless_more_are_asked_for():
    assert jobs_for(["logs"], [], 4) == 1
    assert jobs_for(["-"], ["a", "b"], 4) == 1
    assert jobs_for(["logs"], ["a", "b"], 4) == 4
    assert jobs_for(["logs"], ["a", "b"], None) == 1
