"""The small words people try: a mistyped command, `help`, `version`, `ack`."""

import json

import pytest
from click.testing import CliRunner, Result

from xenwatch.cli.main import cli


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, words, prog_name="xenwatch")


@pytest.mark.parametrize(
    ("words", "meant"), [(["diagnos"], "diagnose"), (["incidents", "lst"], "list"), (["help", "polcy"], "policy")]
)
def test_a_mistyped_command_is_answered_with_the_one_that_was_meant(words: list[str], meant: str):
    said = run(*words)
    assert said.exit_code == 2
    assert f"Did you mean '{meant}'?" in said.stderr


def test_a_word_that_looks_like_no_command_gets_no_suggestion():
    assert "Did you mean" not in run("zzzzzz").stderr


def test_help_of_a_command_is_what_its_option_prints():
    assert run("help", "incidents", "show").stdout == run("incidents", "show", "--help").stdout
    assert run("help").stdout == run("--help").stdout


def test_help_of_a_word_below_a_command_without_words_is_wrong_use():
    said = run("help", "version", "all")
    assert (said.exit_code, "no commands of its own" in said.stderr) == (2, True)


def test_version_counts_the_rules_and_names_the_libraries():
    content = json.loads(run("version", "--format", "json").stdout)
    assert content["rules"] > 500
    assert content["aiohttp"]
    assert "aiohttp:" in run("version").stdout


def test_ack_asks_for_an_incident_as_the_long_form_does():
    assert "INCIDENT" in run("ack", "--help").stdout
    assert run("ack").exit_code == 2
