"""lnav itself takes the formats that are made from ours, and reads real lines with their times and levels."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from monitoring.scripts import load
from monitoring.tools import tool

from xenwatch.logs.format import all_formats
from xenwatch.logs.lnav import lnav_name

ROOT = Path(__file__).parents[3]
BUILD = load(ROOT / "packaging/lnav/build.py")
LOGS = {
    "xend": (
        "xend.log",
        (
            "[2011-05-18 20:55:04 xend 3456] DEBUG (DevController:160) Waiting for devices vif.\n"
            "[2011-05-18 20:55:05 xend.XendDomainInfo 2854] ERROR (XendDomainInfo:195) Domain construction failed\n"
            "Traceback (most recent call last):\n"
        ),
        [("2011-05-18 20:55:04.000", "debug"), ("2011-05-18 20:55:05.000", "error")],
    ),
    "libxl": (
        "libxl-driver.log",
        (
            "2017-10-19 09:47:26.202+0000: libxl: libxl_device.c:1356:libxl__wait_for_backend: Backend not ready\n"
            "2022-05-31 10:00:00 UTC libxl: error: libxl_create.c:1000:do_domain_create: ao 0x1: create\n"
        ),
        [("2017-10-19 09:47:26.202", "info"), ("2022-05-31 10:00:00.000", "error")],
    ),
    "xenstored": (
        "xenstored-access.log",
        "[20261122T20:43:29.817Z]  D0           watch     memory/target\n",
        [("2026-11-22 20:43:29.817", "info")],
    ),
}


@pytest.fixture
def lnav(tmp_path: Path):
    """Runs lnav with a home of its own, where the formats are installed."""
    program = tool("lnav")

    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        environment = {**os.environ, "HOME": str(tmp_path), "TERM": "dumb"}
        environment.pop("XDG_CONFIG_HOME", None)
        argv = [program, *words]
        return subprocess.run(
            argv, capture_output=True, text=True, check=False, env=environment, stdin=subprocess.DEVNULL
        )

    if run("-V").returncode != 0:
        pytest.skip("lnav cannot run here: libraries that it needs are not installed")
    assert run("-i", str(BUILD.OUT)).returncode == 0
    return run


def test_what_is_made_is_current_make_lnav_otherwise():
    assert json.loads(BUILD.OUT.read_text()) == BUILD.document()


def test_lnav_finds_nothing_wrong_with_the_formats_and_reads_every_sample(lnav):
    checked = lnav("-C")
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


@pytest.mark.parametrize("name", LOGS)
def test_lnav_reads_real_lines_with_their_times_and_levels(lnav, tmp_path: Path, name: str):
    file, lines, wanted = LOGS[name]
    (tmp_path / file).write_text(lines)
    query = f";SELECT log_time, log_level FROM {lnav_name(all_formats()[name])}"
    said = lnav("-n", "-c", query, "-c", ":write-json-to -", str(tmp_path / file))
    assert [(row["log_time"], row["log_level"]) for row in json.loads(said.stdout)] == wanted


def test_a_format_without_headers_is_not_made():
    assert lnav_name(all_formats()["stderr"]) not in BUILD.document()
