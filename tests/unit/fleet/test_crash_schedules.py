"""Killed or stopped at any point while a neighbour acts in its place, two hosts start a guest once, on a real etcd."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

DRIVER = Path(__file__).parents[2] / "scenarios" / "fleet_crash_driver.py"
UNSUCCESSFUL = ("failed", "unknown")


def played(etcd, folder: Path, schedules: int) -> list[dict[str, Any]]:
    pids = ",".join(str(process.pid) for process in etcd._running.values())
    argv = [sys.executable, str(DRIVER), str(folder), ",".join(etcd.endpoints), pids, str(schedules)]
    ran = subprocess.run(argv, capture_output=True, text=True, timeout=3500, check=False)
    assert ran.returncode == 0, ran.stderr[-4000:]
    found = json.loads(ran.stdout)["schedules"]
    assert len(found) == schedules
    return found


def judge(found: list[dict[str, Any]]) -> None:
    for one in found:
        assert sum(one["starts"].values()) == 1, f"started once and not twice: {one}"
        holding = sorted(run for run, state in one["states"].items() if state in UNSUCCESSFUL)
        assert sorted(one["slots"]) == holding, f"what failed keeps its slot, and nothing else does: {one}"
        assert set(one["states"].values()) <= {"succeeded", "aborted", "proposed", *UNSUCCESSFUL}, one


@pytest.mark.timeout(600)
def test_killed_or_stopped_at_some_points_the_guest_is_started_once(etcd, tmp_path):
    judge(played(etcd, tmp_path, 4))


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_killed_or_stopped_at_sixty_four_points_the_same_holds(etcd, tmp_path):
    """In every eighth a member of etcd hangs too."""
    judge(played(etcd, tmp_path, 64))
