"""What docs/architecture.md promises about the code itself, checked on every file."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "xenwatch").rglob("*.py"))
CODE = [f for f in FILES if f.read_text().strip()]
MOST_LINES, MOST_FUNCTION_LINES = 300, 40
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", CODE, ids=named)
def test_a_file_begins_with_one_sentence_that_says_what_it_is(path: Path) -> None:
    doc = ast.get_docstring(ast.parse(path.read_text()))
    assert doc, f"{named(path)} has no docstring"
    assert doc.splitlines()[0].rstrip().endswith((".", ":")), f"{named(path)}: the first line is no sentence"


@pytest.mark.parametrize("path", CODE, ids=named)
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= MOST_LINES
    long = [
        f"{node.name}: {lines} lines"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > MOST_FUNCTION_LINES
    ]
    assert not long


def test_no_file_or_folder_has_a_name_that_says_nothing() -> None:
    assert not [named(f) for f in FILES if {f.stem, f.parent.name} & BANNED_NAMES]


def test_one_file_starts_processes() -> None:
    """House rule: host/exec/child.py alone starts processes, so one file is to be read for shell safety."""
    starters = ("create_subprocess", "subprocess.run", "subprocess.Popen", "os.system", "os.popen", "shell=True")
    found = {named(f) for f in CODE for word in starters if word in f.read_text()}
    assert found <= {"xenwatch/host/exec/child.py"}


def test_nothing_is_evaluated_or_left_to_do() -> None:
    found = [
        f"{named(f)}: {word}"
        for f in CODE
        for word in (" eval(", " exec(", "TODO", "FIXME", "XXX")
        if word in f.read_text()
    ]
    assert not found
