"""I9: killed with -9 at every point and every pair of points of a run, nothing is done twice and each end is true."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

DRIVER = Path(__file__).parents[2] / "scenarios" / "crash_driver.py"


def killed(tmp_path: Path, mode: str) -> list[tuple[list[int], int, list[str]]]:
    argv = [sys.executable, str(DRIVER), str(tmp_path), mode]
    ran = subprocess.run(argv, capture_output=True, text=True, timeout=1100, check=False)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def judge(schedules: list[tuple[list[int], int, list[str]]]) -> None:
    for kills, starts, states in schedules:
        assert starts <= 1, f"killed at {kills}: started {starts} times, {states}"
        assert states.count("succeeded") == starts, f"killed at {kills}: {states}"
        assert starts or states == ["failed", "failed"], "it gives up only when the rung's two tries are used"
        assert set(states) <= {"succeeded", "failed", "aborted"}, f"killed at {kills}: {states}"


def test_i09_killed_at_any_point_the_guest_is_started_once_and_the_run_store_has_it(tmp_path):
    schedules = killed(tmp_path, "singles")
    assert len(schedules) > 30
    judge(schedules)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_i09_killed_at_every_pair_of_points_the_same_holds(tmp_path):
    schedules = killed(tmp_path, "pairs")
    assert len(schedules) > 900
    judge(schedules)
