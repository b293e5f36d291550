"""The audits: a finding without a reason is reported, and so is a reason without a finding."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / f"packaging/audit/{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FINDING: dict[str, Any] = {
    "test_id": "B602", "filename": "./xenwatch/host/run.py", "line_number": 7, "issue_text": "a shell",
}  # fmt: skip


def test_a_finding_needs_a_reason_and_a_reason_needs_a_finding() -> None:
    risky = load("risky_calls")
    assert list(risky.unexcused([FINDING], set())) == ["xenwatch/host/run.py:7: B602 a shell"]
    assert not list(risky.unexcused([FINDING], {("B602", "xenwatch/host/run.py")}))
    assert "no longer there" in next(risky.unexcused([], {("B602", "xenwatch/host/run.py")}))


def test_every_exception_of_the_project_is_about_a_file_that_exists() -> None:
    told = load("risky_calls").exceptions()
    assert told
    assert not [file for _, file in told if not (ROOT / file).is_file()]


KNOWN = {"name": "jinja2", "version": "2.0", "vulns": [{"id": "CVE-1", "fix_versions": ["3.0"]}]}


@pytest.mark.parametrize(
    ("packages", "code"),
    [([KNOWN], 1), ([{**KNOWN, "vulns": []}], 0), ([{"name": "jinja2", "skip_reason": "not found"}], 3)],
)
def test_a_flaw_fails_and_an_index_that_tells_nothing_is_no_proof(
    packages: list[dict[str, Any]], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    flaws = load("known_flaws")
    monkeypatch.setattr(sys, "argv", ["known_flaws.py", "pip-audit"])
    monkeypatch.setattr(flaws, "told", lambda *_: {"dependencies": packages})
    assert flaws.main() == code
