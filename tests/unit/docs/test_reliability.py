"""docs/reliability.md: what it says that a test shows, a test shows."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py(?:::\w+)?)`", (ROOT / "docs/reliability.md").read_text())))


def test_the_page_names_tests():
    assert len(NAMED) > 20


@pytest.mark.parametrize("test", NAMED)
def test_every_test_on_the_page_exists(test: str):
    file, _, name = test.partition("::")
    assert not name or re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text(), re.MULTILINE)


def test_every_row_names_one():
    rows = [line for line in (ROOT / "docs/reliability.md").read_text().splitlines() if line.startswith("| ")]
    assert [row for row in rows if "tests/" not in row and "Shown by" not in row] == []
