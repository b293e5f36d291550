"""A problem in a TOML file names the line of its key, wherever and however the key is written."""

from pathlib import Path

import pytest

from xenwatch.base.toml_tables import TomlFile, key_lines

POLICY = '''\
[remediation]
mode = "observe"

[[rule]] # the first
name = "one"
[rule.when]
class = "x"
[[rule.ladder]]
action = "notify"

[[rule]]
name = """
[[rule]]
name = 'not a key'
"""
ladder = [{action = "notify"}, {action = "reboot", max = 2}]
'''


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("remediation.mode", 2),
        ("rule", 4),
        ("rule[0].name", 5),
        ("rule[0].when.class", 7),
        ("rule[0].ladder", 8),
        ("rule[0].ladder[0].action", 9),
        ("rule[1]", 11),
        ("rule[1].name", 12),
        ("rule[1].ladder[1].max", 16),
    ],
)
def test_the_line_of_a_key_in_a_table_or_the_nth_table_of_an_array_is_found(key: str, line: int) -> None:
    assert TomlFile(Path("policy.toml"), POLICY).line_of(key) == line
    assert key_lines(POLICY)[key] == line


def test_a_key_that_is_not_written_is_reported_at_its_table_and_an_unknown_table_at_no_line() -> None:
    file = TomlFile(Path("policy.toml"), POLICY)
    file.report("rule[1].when", "name a diagnosis")
    file.report("rule[0].when.alert", "must be a text")
    file.report("rule[7].name", "a rule needs a name")
    file.report("storm.cooldown", "must be a duration")
    assert [problem.line for problem in file.problems] == [11, 6, 4, 0]


def test_a_table_that_is_only_written_through_its_inner_ones_stands_where_the_first_of_them_does() -> None:
    assert TomlFile(Path("x.toml"), "[a]\n\n[limits.class.L3]\n").line_of("limits.class") == 3


def test_a_line_that_only_looks_like_the_key_is_not_taken_for_it() -> None:
    text = '[a]\nnote = """\nmode = 1\n"""\nmode = 2\n'
    assert TomlFile(Path("x.toml"), text).line_of("a.mode") == 5
