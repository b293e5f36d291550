"""The page about security names tests that exist, and enough of them for each attacker."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/security.md").read_text()
NAMED = re.findall(r"^- `(tests/\S+)`: `(\w+)`$", PAGE, re.MULTILINE)
ATTACKERS = (
    "A hostile guest",
    "A hostile peer",
    "Who sends alerts",
    "A user of this machine",
    "An agent that was taken",
)


def defined(file: str, test: str) -> bool:
    path = ROOT / file
    return path.is_file() and re.search(rf"^(?:async )?def {test}\(", path.read_text(), re.MULTILINE) is not None


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_a_test_that_the_page_names_exists(file: str, test: str):
    assert defined(file, test)


def test_a_test_that_does_not_exist_would_be_noticed():
    assert not defined("tests/unit/docs/test_security.py", "test_that_is_not_there")
    assert not defined("tests/unit/docs/test_nowhere.py", "test_a_test_that_the_page_names_exists")


def test_no_line_that_begins_with_a_test_escapes_the_check():
    assert len(NAMED) == len(re.findall(r"^- `tests/", PAGE, re.MULTILINE))


@pytest.mark.parametrize("attacker", ATTACKERS)
def test_each_attacker_has_tests(attacker: str):
    part = PAGE.partition(f"## {attacker}")[2].partition("\n## ")[0]
    assert len(re.findall(r"^- `tests/", part, re.MULTILINE)) >= 3


def test_the_table_of_orders_is_what_the_actions_declare():
    """The rows hold the capabilities that the orders are given; test_privileges.py shows that they suffice."""
    declared = {
        capability
        for action in (ROOT / "xenwatch/remediation/actions").glob("*.py")
        for capability in re.findall(r'"(CAP_\w+)"', action.read_text())
    }
    table = PAGE.partition("| Order |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(CAP_\w+)`", table)) == declared
