"""What fuzzing found once is played again; and each fuzzed part takes at least what it begins with."""

import sys
from pathlib import Path

import pytest

TORTURE = Path(__file__).parents[2] / "torture"
sys.path.append(str(TORTURE))

from fuzzed import PARTS, SEEDS

FOUND = TORTURE / "found"


@pytest.mark.parametrize("part", sorted(PARTS))
def test_a_fuzzed_part_takes_its_seeds_and_what_was_found(part: str) -> None:
    run = PARTS[part]()
    found = [file.read_bytes() for file in sorted((FOUND / part).glob("*"))]
    for data in (b"", b"\0", b"\xff" * 100, *SEEDS[part], *found):
        run(data)


def test_everything_that_was_found_belongs_to_a_part() -> None:
    assert {folder.name for folder in FOUND.glob("*")} <= set(PARTS)
