"""What a real Xen host logged when it was broken on purpose, replayed: each failure is traced to its root, only to it.

Recorded by tests/xenhost on Debian's Xen 4.17 and 4.20. `recording.yaml` holds what logs and outputs alone can show:
`expect` lists the root causes, and nothing else above `info` may be left unexplained. Those below `alone/` are not
told in histories and in pairs yet (recorded_history.py, test_recorded_pairs.py).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.diagnosis.ruleset import cache_folder, rules_with
from xenwatch.model.incident import Incident
from xenwatch.triage.diagnose import diagnose

FOLDER = Path(__file__).parents[1] / "recordings"
MOST_BYTES = 48 * 1024


def recordings() -> list[Path]:
    return sorted(path.parent for path in FOLDER.rglob("recording.yaml"))


@pytest.fixture(scope="module")
def rules() -> Sequence[Rule]:
    return rules_with((), cache_folder())


def fits(wanted: dict[str, Any], incident: Incident) -> bool:
    found = incident.diagnosis
    seen = {"class": found.class_, "rule": found.rule, "subject": f"{found.subject.kind}/{found.subject.name}"}
    return all(seen[key] == wanted[key] for key in seen.keys() & wanted.keys()) and all(
        found.fields.get(key) == str(value) for key, value in wanted.get("fields", {}).items()
    )


@pytest.mark.parametrize("folder", recordings(), ids=lambda folder: folder.name)
def test_a_recorded_failure_is_traced_to_its_root(folder: Path, rules: Sequence[Rule]) -> None:
    expected = yaml.safe_load((folder / "recording.yaml").read_text())["expect"]
    report = diagnose([str(folder / "log"), str(folder / "state")], rules, cache=cache_folder())
    roots = [i for i in report.incidents if i.explained_by is None and i.diagnosis.severity != "info"]
    said = [(i.diagnosis.rule, str(i.diagnosis.subject), dict(i.diagnosis.fields)) for i in roots]
    assert [wanted for wanted in expected if not any(fits(wanted, root) for root in roots)] == [], said
    assert [line for line, root in zip(said, roots, strict=True) if not any(fits(w, root) for w in expected)] == []


def test_the_recordings_are_many_and_small() -> None:
    sizes = {folder.name: sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) for folder in recordings()}
    assert len(sizes) >= 12
    assert {name: size for name, size in sizes.items() if size > MOST_BYTES} == {}
