"""A rule's sentences read well also where a field was not captured."""

import pytest

from xenwatch.diagnosis.rules.templates import TemplateFiller
from xenwatch.model.subject import UNKNOWN, Subject


@pytest.fixture
def filler(kit):
    rule = kit.rule(
        "signatures:\n  - {regex: 'cannot open (?P<path>/\\S+): error (?P<code>\\d+)'}\n  - {regex: 'no image given'}\n"
    )
    return lambda **fields: TemplateFiller(rule, fields, Subject("host", "dom0"))


def test_a_parenthesis_is_filled(filler):
    assert filler(path="/srv/a", code="2").text("A file ({path}) is missing.") == "A file (/srv/a) is missing."


def test_a_parenthesis_that_stays_empty_goes(filler):
    assert filler().text("A file ({path}) is missing.") == "A file is missing."


def test_one_empty_field_is_enough_for_it_to_go(filler):
    assert filler(path="/srv/a").text("It failed ({path}, {code}).") == "It failed."


def test_a_value_with_parentheses_of_its_own_stays(filler):
    assert filler(path="/a (1)").text("A file ({path}) is missing.") == "A file (/a (1)) is missing."


def test_a_parenthesis_without_fields_stays(filler):
    assert filler().text("Start it (hard power off).") == "Start it (hard power off)."


def test_outside_of_one_the_missing_field_is_visible(filler):
    assert filler().text("{path} is missing.") == "<path> is missing."


def test_commands_keep_their_parentheses(filler):
    assert filler().commands(["(cd {path})"]) == ("(cd <path>)",)


def test_a_command_names_the_guest(kit):
    filler = TemplateFiller(kit.rule("signatures:\n  - {regex: 'it crashed'}\n"), {}, Subject("domain", "web"))
    assert filler.commands(["xl list {domain}"]) == ("xl list web",)


def test_a_command_about_a_guest_that_nothing_names_does_not_call_it_unknown(kit):
    filler = TemplateFiller(kit.rule("signatures:\n  - {regex: 'it crashed'}\n"), {}, Subject("domain", UNKNOWN))
    assert filler.commands(["xl list {domain}"]) == ("xl list <domain>",)
