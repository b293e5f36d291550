"""The units of systemd: shut as far as the work allows, and nothing in them that systemd does not know."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "packaging/systemd"
UNITS = sorted(FOLDER.glob("*.service"))
MOST_EXPOSED = 3.0
MOST = {"xenwatch.service": 1.7, "xenwatch-reader.service": 2.5}
"""The agent parses what strangers write; the others have a reason for each point, in their files."""

pytestmark = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")


def exposure(unit: Path) -> float:
    said = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)],
        capture_output=True, text=True, timeout=60, check=True,
    ).stdout  # fmt: skip
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", said)
    assert found, said
    return float(found[1])


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_unit_is_shut(unit: Path):
    assert exposure(unit) <= MOST.get(unit.name, MOST_EXPOSED)


def test_a_unit_that_is_open_would_be_noticed(tmp_path: Path):
    bare = tmp_path / "xenwatch.service"
    bare.write_text("[Service]\nExecStart=/bin/true\n")
    assert exposure(bare) > MOST_EXPOSED


@pytest.mark.parametrize("unit", sorted(FOLDER.glob("*.*")), ids=lambda unit: unit.name)
def test_systemd_knows_every_word_of_the_unit(unit: Path, tmp_path: Path):
    """A misspelt key is only a warning at start, and the protection it meant is not there."""
    text = (
        unit.read_text()
        .replace("/usr/bin/xenwatch", "/bin/true")
        .replace("/usr/libexec/xenwatch-privileged", "/bin/true")
        .replace("man:xenwatch(1) ", "")
    )
    copy = tmp_path / unit.name
    copy.write_text(text)
    if unit.suffix == ".socket":
        copy.with_suffix(".service").write_text("[Service]\nExecStart=/bin/true\n")
    said = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(copy)], capture_output=True, text=True, timeout=60, check=False
    ).stderr
    assert not [line for line in said.splitlines() if unit.name in line]
