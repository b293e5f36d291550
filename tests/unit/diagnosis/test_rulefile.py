"""Rule files: what is wrong is said with file, line and key, all at once."""

import json
from pathlib import Path

import jsonschema
import pytest

from xenwatch.base.errors import RuleError
from xenwatch.diagnosis.rules.cache import load_library
from xenwatch.diagnosis.rules.loader import load_rules, parse_rule
from xenwatch.diagnosis.rules.rule import AllOf, AnyOf, EventCondition, FactCondition, GivenLine
from xenwatch.diagnosis.rules.schema import RULE, schema_text
from xenwatch.diagnosis.rules.yaml_tree import read_tree

GOOD = """\
id: a
class: c
title: T
severity: error
signatures:
  - {event: a.came, regex: 'abc (?P<domain>[a-z]+)'}
"""
DOCS = Path(__file__).parents[3] / "docs"


def problems(text: str, name: str = "a") -> list[tuple[int, str, str]]:
    with pytest.raises(RuleError) as caught:
        parse_rule(text, Path(f"{name}.yaml"))
    return [(p.line, p.key, p.message) for p in caught.value.problems]


def test_a_rule_without_conditions_waits_for_any_of_its_own_events():
    assert parse_rule(GOOD, Path("a.yaml")).when == AnyOf((EventCondition("a.came"),))


def test_every_error_of_a_file_is_told_at_once_with_line_and_key():
    text = GOOD.replace("class", "clas").replace("severity: error", "severity: eror") + "window: 5 minutes\n"
    found = problems(text)
    assert [(line, key) for line, key, _ in found] == [(2, "clas"), (4, "severity"), (7, "window"), (1, "")]
    assert "did you mean 'class'?" in found[0][2]
    assert "did you mean 'error'?" in found[1][2]


def test_a_bad_regex_names_the_line_of_its_signature():
    [(line, key, message)] = problems(GOOD.replace("abc (", "abc (("))
    assert (line, key) == (6, "signatures[0].regex")
    assert "not a regular expression" in message


def test_a_regex_that_matches_nothing_at_all_is_refused():
    [(_, key, message)] = problems(GOOD.replace("abc (?P<domain>[a-z]+)", "(x)*"))
    assert key == "signatures[0].regex"
    assert "every record" in message


def test_an_expression_that_speaks_of_unknown_things_is_refused():
    text = GOOD + "when: {all: [{type: fact, fact: f, check: 'valu > 1'}]}\n"
    assert problems(text)[0][:2] == (7, "when.all[0].check")


def test_an_expression_that_is_not_cel_is_refused():
    text = GOOD + "when: {all: [{type: fact, fact: f, check: 'value >'}]}\n"
    assert "not a CEL expression" in problems(text)[0][2]


def test_a_condition_of_unknown_type_lists_the_types_that_exist():
    [(line, key, message)] = problems(GOOD + "when:\n  all:\n    - {type: evnt, event: x}\n")
    assert (line, key) == (9, "when.all[0]")
    assert "type: sequence" in message


def test_a_key_given_twice_is_an_error():
    assert (4, "title", "is given twice") in problems(GOOD.replace("severity", "title: U\nseverity"))


def test_text_that_is_no_yaml_names_the_line():
    assert problems("id: [a\nclass: b\n")[0][0] >= 1


def test_the_id_must_be_the_files_name():
    assert problems(GOOD, "other") == [(1, "id", "must be the file's name: 'other'")]


def test_files_that_cannot_be_read_are_reported_beside_bad_rules(tmp_path):
    (tmp_path / "latin.yaml").write_bytes(b"id: caf\xe9\n")
    (tmp_path / "list.yaml").write_text("- 1\n")
    (tmp_path / "a.yaml").write_text(GOOD)
    with pytest.raises(RuleError) as caught:
        load_rules([tmp_path, tmp_path / "missing.yaml"])
    said = str(caught.value)
    assert "is not UTF-8" in said
    assert "must be a mapping" in said
    assert "missing.yaml: cannot be read" in said


def test_one_id_in_two_files_is_an_error(tmp_path):
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.yaml").write_text(GOOD)
    with pytest.raises(RuleError, match="already used"):
        load_rules([tmp_path])


def test_nested_conditions_and_tests_are_read():
    text = GOOD + (
        "when: {all: [{type: event, event: a.came}, {any: [{type: fact, fact: f, check: 'value', missing: fail}]}]}\n"
        "tests: [{name: n, given: [{stream: xend, line: x, at: +5s}], expect: []}]\n"
    )
    rule = parse_rule(text, Path("a.yaml"))
    assert rule.when == AllOf((EventCondition("a.came"), AnyOf((FactCondition("f", "value", missing_holds=False),))))
    assert rule.tests[0].given == (GivenLine("xend", "x", 5.0),)


def test_the_kept_library_equals_the_files_and_follows_their_changes(tmp_path):
    file, cache = tmp_path / "rules" / "a.yaml", tmp_path / "cache"
    file.parent.mkdir()
    file.write_text(GOOD)
    first = load_library([file.parent], cache)
    assert load_library([file.parent], cache) == first
    file.write_text(GOOD.replace("title: T", "title: U"))
    assert load_library([file.parent], cache)[0].title == "U"


def test_a_torn_cache_is_not_trusted(tmp_path):
    file, cache = tmp_path / "a.yaml", tmp_path / "cache"
    file.write_text(GOOD)
    load_library([file], cache)
    [kept] = cache.iterdir()
    kept.write_bytes(kept.read_bytes()[:20])
    assert load_library([file], cache)[0].id == "a"


def test_a_cache_that_others_may_write_is_not_opened(tmp_path):
    file, cache = tmp_path / "a.yaml", tmp_path / "cache"
    file.write_text(GOOD)
    load_library([file], cache)
    [kept] = cache.iterdir()
    kept.write_bytes(b"cos\nsystem\n(S'touch " + str(tmp_path / "pwned").encode() + b"'\ntR.")
    kept.chmod(0o666)
    assert load_library([file], cache)[0].id == "a"
    assert not (tmp_path / "pwned").exists()


def test_the_published_schema_is_current_and_is_a_schema():
    assert (DOCS / "rule.schema.json").read_text() == schema_text(), "run `make docs` or write schema_text() there"
    jsonschema.Draft202012Validator.check_schema(json.loads(schema_text()))


def test_the_example_of_the_guide_is_a_rule_and_fits_the_published_schema():
    guide = (DOCS / "writing-rules.md").read_text()
    example = guide.split("```yaml\n", 1)[1].split("```", 1)[0]
    rule = parse_rule(example, Path("vif-bridge-missing.yaml"))
    assert rule.signatures[0].event == "vif.bridge-missing"
    jsonschema.validate(read_tree(example).value, RULE)
