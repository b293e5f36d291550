"""A folder of rules may come from a stranger: what cannot be used says so at once, and nothing hangs or dies."""

import os
from pathlib import Path

import pytest

from xenwatch.base.errors import RuleError, YamlError
from xenwatch.diagnosis.matching.record_text import text_of
from xenwatch.diagnosis.rules.loader import load_rule, parse_rule
from xenwatch.diagnosis.rules.yaml_tree import read_tree
from xenwatch.diagnosis.ruleset import rules_with

RULE = """\
id: own
class: vif-bridge-missing
title: Something of our own
severity: error
subject: host
cause: because
remedy: [do it]
signatures: [{{streams: [xend], regex: '{regex}'}}]
tests:
  - {{name: fires, given: [{{stream: xend, line: Device x}}], expect: [{{subject: host/dom0}}]}}
"""


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "- " * 100_000,
        "a: &a [*a]",
        "a: &a [x, x]\nb: &b [*a, *a]\n",
        f"a: {'9' * 5000}",
        "a: 2011-99-99",
        "a:\n\t- b",
        "a: !!timestamp x",
        "a: !!bool x",
        "\x07",
    ],
    ids=["brackets", "lists", "itself", "aliases", "digits", "date", "tab", "timestamp", "bool", "bell"],
)
def test_yaml_made_to_hurt_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(YamlError) as refused:
        read_tree(text)
    assert refused.value.line >= 1


def test_yaml_as_people_write_it_is_read() -> None:
    assert read_tree("a: [b, {c: d}]\n").value == {"a": ["b", {"c": "d"}]}


@pytest.mark.parametrize("regex", [r"(a+)+$", r"Device (?:a|a)*b", r"Device .*.*.*.*.*.*!x", r"Device(?=(.*)*x)"])
def test_a_strangers_rule_that_can_be_made_to_hang_is_refused_before_it_sees_a_log(tmp_path: Path, regex: str) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(RULE.format(regex=regex))
    load_rule(file)  # well formed
    with pytest.raises(RuleError, match=r"own\.yaml:8: signatures\[0\]\.regex: "):
        rules_with([tmp_path], None)


def test_a_strangers_rule_that_cannot_hang_is_taken(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(RULE.format(regex=r"Device (?P<device>\w+)"))
    assert "own" in {rule.id for rule in rules_with([tmp_path], None)}


@pytest.mark.parametrize("path", ["/dev/zero", "pipe.yaml"])
def test_a_device_or_a_pipe_is_no_rule_and_is_not_waited_for(tmp_path: Path, path: str) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(RuleError, match="is not a regular file"):
        load_rule(tmp_path / path)


def test_a_rule_that_is_no_mapping_is_refused() -> None:
    with pytest.raises(RuleError, match="must be a mapping"):
        parse_rule("", Path("own.yaml"))


def test_a_word_of_64_kib_is_shortened_before_any_expression_searches_in_it() -> None:
    text = text_of(b"Device " + b"a" * 65_536 + b" invoked oom-killer")
    assert len(text) < 1000
    assert text.startswith("Device aaa")
    assert text.endswith("aaa invoked oom-killer")


@pytest.mark.parametrize("text", ["Device " + "a" * 1000 + " short enough", " ".join(["word"] * 5000)])
def test_text_as_programs_write_it_is_left_alone(text: str) -> None:
    assert text_of(text.encode()) == text
