"""Prometheus' own programs: installed, or unpacked below .cache/tools by packaging/setup.sh."""

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def tool(name: str) -> str:
    """Where a program is; the test is skipped where it is not."""
    found = shutil.which(name) or shutil.which(name, path=str(ROOT / ".cache/tools/usr/bin"))
    if found is None:
        pytest.skip(f"{name} is not here: `packaging/setup.sh test` fetches it")
    return found
