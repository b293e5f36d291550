"""The bill of materials: what runs is in it, what only development needs is not, and it is the same each time."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from package.roots import CHECKOUT

CYCLONEDX = CHECKOUT / ".venv-tools/bin/cyclonedx-py"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not CYCLONEDX.exists(), reason="`make sbom` makes what writes it"),
]


def written(place: Path) -> str:
    argv = [sys.executable, str(CHECKOUT / "packaging/audit/sbom.py"), str(CYCLONEDX), str(place)]
    subprocess.run(argv, check=True, capture_output=True)
    return place.read_text()


def test_it_lists_what_runs_with_hashes_and_is_the_same_each_time(tmp_path: Path):
    text = written(tmp_path / "first.json")
    assert text == written(tmp_path / "second.json")
    bill = json.loads(text)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    by_name = {one["name"]: one for one in bill["components"]}
    assert {"aiohttp", "click", "hyperscan", "mcp"} <= by_name.keys()
    assert not {"pytest", "ruff", "grafanalib"} & by_name.keys()
    assert bill["metadata"]["component"]["name"] == "xenwatch"
