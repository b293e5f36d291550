"""Judges rules as a reviewer would: runs every check of `lints/` and gathers what they find."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from xenwatch.base.errors import Problem
from xenwatch.base.registry import load_parts
from xenwatch.diagnosis.authoring import lints
from xenwatch.diagnosis.authoring.testing import RuleTestBench
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.model.record import LogFormat


@dataclass(frozen=True, slots=True)
class Library:
    """What the checks may look at. `actions` and `metrics` are None where their names were not handed in."""

    rules: tuple[Rule, ...]
    formats: Mapping[str, LogFormat]
    bench: RuleTestBench
    actions: frozenset[str] | None = None
    metrics: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Lint:
    """One check: `check` yields a problem for each thing that is wrong. An `advice` does not fail the run."""

    title: str
    check: Callable[[Library], Iterable[Problem]]
    weight: Literal["error", "advice"] = "error"


@dataclass(frozen=True, slots=True)
class LintFinding:
    """A problem and the check that found it."""

    lint: str
    weight: Literal["error", "advice"]
    problem: Problem

    def __str__(self) -> str:
        return f"{self.problem} [{self.lint}]"


def all_lints() -> dict[str, Lint]:
    """Every check, by the name of its file."""
    return load_parts(lints, "LINT", Lint)


def lint(library: Library, only: Sequence[str] = ()) -> list[LintFinding]:
    """What the checks have to say, by file and line."""
    chosen = {name: part for name, part in all_lints().items() if not only or name in only}
    remarks = [
        LintFinding(name, part.weight, problem) for name, part in chosen.items() for problem in part.check(library)
    ]
    return sorted(remarks, key=lambda r: (str(r.problem.file), r.problem.line, r.lint))


def problem(rule: Rule, key: str, message: str, line: int = 0) -> Problem:
    """A problem of a key of the rule's file."""
    place = key
    while place and place not in rule.lines:
        cut = max(place.rfind("."), place.rfind("["))
        place = place[: max(cut, 0)]
    return Problem(rule.file, line or rule.lines.get(place, 1), key, message)
