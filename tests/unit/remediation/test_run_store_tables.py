"""Each table of the run store has its SQL in one module, and run states in SQL come from their one definition."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

import xenwatch.remediation
from xenwatch.model.action import ACTIVE, ENDED, PENDING, RUN_MOVES, RunState
from xenwatch.remediation.store import schema

PACKAGE = Path(xenwatch.remediation.__file__).parent
TABLES = re.findall(r"CREATE TABLE (\w+)\(", schema.TABLES)
OF_THE_SCHEMA = {"allowed"}
"""Written with the schema, and read by its triggers alone."""


def texts(module: Path) -> Iterator[str]:
    """Every string of a module; an f-string in one piece, with `{}` for its values."""
    tree = ast.parse(module.read_text())
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield node.value


def modules() -> list[Path]:
    return [path for path in sorted(PACKAGE.rglob("*.py")) if path.name != "schema.py"]


@pytest.mark.parametrize("table", sorted(set(TABLES) - OF_THE_SCHEMA))
def test_the_sql_of_a_table_is_in_one_module(table):
    statement = re.compile(rf"\b(?:FROM|INTO|JOIN|UPDATE)\s+{table}\b")
    users = [path.name for path in modules() if any(statement.search(text) for text in texts(path))]
    assert len(users) == 1


def test_only_the_store_and_the_guards_have_sql():
    statement = re.compile(r"\b(?:SELECT .* FROM|INSERT INTO|UPDATE \w+ SET|DELETE FROM)\b")
    users = {path.parent.name for path in modules() if any(statement.search(text) for text in texts(path))}
    assert users == {"store", "guards"}


def test_no_sql_repeats_a_run_state():
    states = re.compile("|".join(f"'{state}'" for state in get_args(RunState)))
    paths = [*modules(), PACKAGE / "store" / "schema.py"]
    assert [(path.name, text) for path in paths for text in texts(path) if states.search(text)] == []


def test_every_run_state_is_pending_active_or_ended():
    assert sorted((*PENDING, *ACTIVE, *ENDED, "new")) == sorted(get_args(RunState))
    assert {new for states in RUN_MOVES.values() for new in states} == set(get_args(RunState)) - {"new"}
