"""What the package worked out when it was built is used with exactly its rules and its code, and with nothing else."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from xenwatch.diagnosis.matching import literal_store
from xenwatch.diagnosis.matching.literal_store import literals_of, write_literals
from xenwatch.diagnosis.matching.literals import literals
from xenwatch.diagnosis.rules import cache
from xenwatch.diagnosis.rules.cache import load_library, load_prepared, write_prepared
from xenwatch.diagnosis.rules.paths import rule_files
from xenwatch.diagnosis.ruleset import shipped_rules

SEVERAL = "network"
"""A folder of shipped rules."""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A copy of some shipped rules, in a place of their own."""
    folder = tmp_path / "rules" / SEVERAL
    folder.mkdir(parents=True)
    for file in sorted((shipped_rules() / SEVERAL).glob("*.yaml"))[:3]:
        (folder / file.name).write_bytes(file.read_bytes())
    return tmp_path / "rules"


def test_prepared_rules_are_the_rules_that_are_read_wherever_they_are_installed(rules: Path, tmp_path: Path):
    write_prepared(rules, tmp_path / "prepared")
    installed = tmp_path / "elsewhere"
    rules.rename(installed)
    prepared = load_prepared(rule_files([installed]), tmp_path / "prepared")
    assert prepared == tuple(replace(rule, tests=(), lines={}) for rule in load_library([installed]))
    assert prepared
    assert all(rule.file.is_file() for rule in prepared)


def test_a_rule_that_was_edited_is_read_from_its_file(rules: Path, tmp_path: Path):
    write_prepared(rules, tmp_path / "prepared")
    file = next(rules.rglob("*.yaml"))
    file.write_text(file.read_text().replace("severity: error", "severity: warning") + "\n# edited\n")
    assert load_prepared(rule_files([rules]), tmp_path / "prepared") is None


def test_what_others_could_have_written_is_not_unpickled(rules: Path, tmp_path: Path):
    write_prepared(rules, tmp_path / "prepared")
    next((tmp_path / "prepared").iterdir()).chmod(0o666)
    assert load_prepared(rule_files([rules]), tmp_path / "prepared") is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_belongs_to_another_user_is_not_unpickled(rules: Path, tmp_path: Path):
    write_prepared(rules, tmp_path / "prepared")
    os.chown(next((tmp_path / "prepared").iterdir()), 65534, -1)
    assert load_prepared(rule_files([rules]), tmp_path / "prepared") is None


def test_the_short_library_comes_from_the_package_where_it_has_one(rules: Path, tmp_path: Path, monkeypatch):
    write_prepared(rules, tmp_path / "prepared")
    monkeypatch.setattr(cache, "prepared_folder", lambda: tmp_path / "prepared")
    monkeypatch.setattr("xenwatch.diagnosis.rules.loader.load_rules", lambda _files: pytest.fail("read again"))
    assert load_library([rules], whole=False)


REGEXES = ("Could not find bridge device (?P<bridge>[^ ]+)", "dom(?:ain|id) [0-9]+ (?:crashed|died)")


def test_literals_are_kept_and_are_the_same_as_those_worked_out(tmp_path: Path, monkeypatch):
    expected = [literals(regex) for regex in REGEXES]
    assert literals_of(REGEXES, tmp_path) == expected
    monkeypatch.setattr(literal_store, "literals", lambda _regex: pytest.fail("worked out again"))
    assert literals_of(REGEXES, tmp_path) == expected


def test_literals_of_the_package_serve_and_only_what_is_missing_is_worked_out(tmp_path: Path, monkeypatch):
    write_literals(REGEXES[:1], tmp_path / "prepared")
    monkeypatch.setattr(literal_store, "prepared_folder", lambda: tmp_path / "prepared")
    asked: list[str] = []
    monkeypatch.setattr(literal_store, "literals", lambda regex: asked.append(regex) or literals(regex))
    assert literals_of(REGEXES, None) == [literals(regex) for regex in REGEXES]
    assert asked == [REGEXES[1]]


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"x": 1}', b"\xff"])
def test_a_damaged_file_of_literals_costs_time_and_nothing_else(tmp_path: Path, content: bytes):
    literals_of(REGEXES, tmp_path)
    next(tmp_path.glob("literals-*.json")).write_bytes(content)
    assert literals_of(REGEXES, tmp_path) == [literals(regex) for regex in REGEXES]
