"""The logs of a real host that had other troubles before: what is wrong now is what `diagnose` names first."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from recorded_history import KINDS, bundles, first_told, is_present

from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.diagnosis.ruleset import cache_folder, rules_with

MOST_MISSED = {"the same guests": 3, "other guests": 0, "repaired since": 2, "rebooted since": 1}
"""Of some twenty each; it may only become smaller."""


@pytest.fixture(scope="module")
def rules() -> Sequence[Rule]:
    return rules_with((), cache_folder())


@pytest.mark.parametrize("kind", KINDS)
def test_the_present_failure_is_first_whatever_happened_before(
    kind: str, tmp_path: Path, rules: Sequence[Rule]
) -> None:
    missed: dict[str, str] = {}
    chosen = [bundle for bundle in bundles() if bundle.kind == kind]
    for number, bundle in enumerate(chosen):
        told = first_told(bundle, tmp_path / str(number), rules)
        if not is_present(bundle, told):
            missed[bundle.name] = str(told and (told.diagnosis.class_, str(told.diagnosis.subject)))
    assert len(chosen) >= 18
    assert len(missed) <= MOST_MISSED[kind], missed
