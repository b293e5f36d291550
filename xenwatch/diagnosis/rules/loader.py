"""Loads rule files; whatever is wrong in any of them is reported at once, with file, line and key."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from xenwatch.base.durations import parse_duration
from xenwatch.base.errors import Problem, RuleError, YamlError
from xenwatch.diagnosis.rules.aliases import with_present_ids
from xenwatch.diagnosis.rules.expressions import check_expression
from xenwatch.diagnosis.rules.parse import build_rule, parse_offset
from xenwatch.diagnosis.rules.paths import rule_files
from xenwatch.diagnosis.rules.patterns import check_regex
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.diagnosis.rules.schema import RULE
from xenwatch.diagnosis.rules.validate import ShapeReader
from xenwatch.diagnosis.rules.yaml_tree import YamlTree, read_tree

LONGEST_FILE = 256 * 1024
_SHAPE = ShapeReader(
    RULE,
    {"duration": parse_duration, "regex": check_regex, "cel": check_expression, "offset": parse_offset},
)


def load_rules(paths: Iterable[Path]) -> tuple[Rule, ...]:
    """Every rule at and under `paths`. Raises RuleError with all problems of all files."""
    rules: list[Rule] = []
    problems: list[Problem] = []
    for path in rule_files(paths):
        try:
            rules.append(load_rule(path))
        except RuleError as error:
            problems.extend(error.problems)
    problems.extend(id_problems(rules))
    if problems:
        raise RuleError(problems)
    return with_present_ids(rules)


def load_rule(path: Path) -> Rule:
    """The rule in one file. Raises RuleError."""
    if path.exists() and not path.is_file():
        raise RuleError([Problem(path, 0, "", "is not a regular file")])
    try:
        with path.open("rb") as file:
            content = file.read(LONGEST_FILE + 1)
    except OSError as error:
        raise RuleError([Problem(path, 0, "", f"cannot be read: {error.strerror or error}")]) from None
    if len(content) > LONGEST_FILE:
        raise RuleError([Problem(path, 0, "", f"is larger than {LONGEST_FILE} bytes; this is not a rule")])
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise RuleError([Problem(path, line, "", "is not UTF-8")]) from None
    return parse_rule(text, path)


def parse_rule(text: str, path: Path) -> Rule:
    """The rule written in `text`; `path` is named in messages and gives the id it must have. Raises RuleError."""
    try:
        tree = read_tree(text)
    except YamlError as error:
        raise RuleError([Problem(path, error.line, "", f"not YAML: {error}")]) from None
    problems = _problems(tree, path)
    if problems:
        raise RuleError(problems)
    return build_rule(tree, path)


def _problems(tree: YamlTree, path: Path) -> list[Problem]:
    if not isinstance(tree.value, dict):
        return [Problem(path, 1, "", "must be a mapping with id, class, title, …")]
    found = [Problem(path, tree.line(key), key, "is given twice") for key in tree.doubled]
    found += [Problem(path, tree.line(key), key, message) for key, message in _SHAPE.findings(tree.value)]
    if not found:
        found += [Problem(path, tree.line(key), key, message) for key, message in _sense(tree.value, path)]
    return found


def _sense(value: dict[str, Any], path: Path) -> Iterable[tuple[str, str]]:
    """What the shape alone cannot say."""
    if value["id"] != path.stem:
        yield "id", f"must be the file's name: {path.stem!r}"
    if not value.get("signatures") and not value.get("when"):
        yield "", "needs signatures, or conditions in `when`"
    if value.get("noise") and value.get("when"):
        yield "when", "a quiet rule (`noise`) acts on its signatures alone"
    for index, item in enumerate(value.get("hypotheses", [])):
        if not item.keys() & {"where", "when", "tell"}:
            yield f"hypotheses[{index}]", "needs `where` or `when`, which decide it, or `tell`: how a person finds out"
    for index, item in enumerate(value.get("look", [])):
        if "decide" in item and "check" not in item:
            yield f"look[{index}].decide", "needs a `check`: a fact that is merely known decides nothing"


def id_problems(rules: Iterable[Rule]) -> Iterable[Problem]:
    """An id, or a former id, that two rules have."""
    first: dict[str, Rule] = {}
    for rule in rules:
        for key, name in (("id", rule.id), *(("aliases", alias) for alias in rule.aliases)):
            other = first.setdefault(name, rule)
            if other is not rule:
                yield Problem(rule.file, rule.lines.get(key, 1), key, f"{name!r} is already used by {other.file}")
