"""Two failures of different guests, 20 s apart: each is told as it is told alone, whatever else the host suffers."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import permutations
from pathlib import Path

import pytest
from recorded import Recording, recordings

from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.diagnosis.ruleset import cache_folder, rules_with
from xenwatch.triage.diagnose import diagnose

APART = 20.0
NAMES = {"web": "mail", "db": "news", "app": "shop"}
SHIFT = 40

RECORDINGS = recordings()
FAILURES = [r for r in RECORDINGS if r.expect and r.has_times]


def later(one: Recording, after: datetime) -> Recording:
    """The same with other guests, other domids and at a later time."""
    return one.moved(after - one.span[0], domids=SHIFT, names=NAMES)


def together(one: Recording, other: Recording) -> dict[str, str]:
    files = dict(one.files)
    for name, text in other.files.items():
        files[name] = files.get(name, "") + text
    return files


def told(files: dict[str, str], folder: Path, rules: Sequence[Rule]) -> set[tuple[str, str]]:
    """Class and subject of every root cause."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    report = diagnose([str(folder)], rules, cache=cache_folder())
    roots = [i.diagnosis for i in report.incidents if i.explained_by is None and i.diagnosis.severity != "info"]
    return {(d.class_, f"{d.subject.kind}/{d.subject.name}") for d in roots}


def wanted(one: Recording) -> list[tuple[str, str]]:
    return [(e["class"], e.get("subject", "")) for e in one.expect]


def missing(expected: list[tuple[str, str]], found: set[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(c, s) for c, s in expected if not any(c == fc and s in ("", fs) for fc, fs in found)]


PAIRS = list(permutations(FAILURES, 2))[::4]
"""Every fourth: all 342 take a minute."""


@pytest.fixture(scope="module")
def rules() -> Sequence[Rule]:
    return rules_with((), cache_folder())


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=lambda r: r.name)
def test_two_failures_soon_after_each_other_are_both_told(
    one: Recording, other: Recording, tmp_path: Path, rules: Sequence[Rule]
) -> None:
    second = later(other, one.span[1] + timedelta(seconds=APART))
    found = told(together(one, second), tmp_path, rules)
    assert missing(wanted(one) + wanted(second), found) == [], found
