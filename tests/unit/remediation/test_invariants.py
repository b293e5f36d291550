"""docs/invariants.md names every invariant and every test of it, and nothing that is not there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DOC = (ROOT / "docs" / "invariants.md").read_text()
TESTS = {
    (str(file.relative_to(ROOT)), name)
    for folder in ("tests/unit/remediation", "tests/unit/agent", "tests/unit/web", "tests/models")
    for file in (ROOT / folder).glob("test_*.py")
    for name in re.findall(r"^(?:async )?(?:def )?(test_i\d\d_\w+)", file.read_text(), re.MULTILINE)
}


@pytest.mark.parametrize("number", range(1, 34))
def test_an_invariant_is_in_the_document_and_has_a_test(number):
    section = DOC.partition(f"**I{number}.**")[2].partition("**I")[0]
    named = set(re.findall(r"- `(.+?)`: `(.+?)`", section))
    assert named
    assert named == {test for test in TESTS if f"i{number:02}_" in test[1]}
