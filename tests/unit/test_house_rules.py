"""What docs/architecture.md promises about the code itself, checked on every file."""

import ast
import importlib
import re
from collections import defaultdict
from dataclasses import fields
from pathlib import Path

import pytest

from xenwatch.base.errors import XenwatchError
from xenwatch.logs.format import all_formats
from xenwatch.model.record import LogFormat
from xenwatch.model.subject import KINDS

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "xenwatch").rglob("*.py"))
CODE = [f for f in FILES if f.read_text().strip()]
MOST_LINES, MOST_FUNCTION_LINES = 300, 40
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
ARCHAIC = re.compile(
    r"\b(?:hence|whose|whom|anew|moreover|befell|befall\w*|thereof|therein|whereby|wherein|whither|lest|albeit|fares?|"
    r"laid to|be had|for want of|goes its way|shall|amiss|upon)\b",
    re.IGNORECASE,
)
EXCEPTION = re.compile(r"^class \w+\(.*(?:Error|Exception)", re.MULTILINE)
COMMANDS_TOO = {"xl", "libvirt", "xapi", "xend", "xenstored", "lvm", "hypervisor", "qubes", "bootloader", "kernel"}
"""Formats that are called as a program, a toolstack, a collector or an option of a guest is."""


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


def test_no_name_of_a_class_is_used_twice() -> None:
    """A search for a class finds the one. Each collector may have a `_Reader`: its file is its name."""
    places = defaultdict(list)
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and (node.name != "_Reader" or path.parent.name != "collectors"):
                places[node.name].append(named(path))
    assert not {name: found for name, found in places.items() if len(found) > 1}


def test_every_exception_is_in_the_one_tree_of_errors() -> None:
    """What catches XenwatchError catches all that xenwatch raises of its own."""
    for path in CODE:
        if EXCEPTION.search(path.read_text()):
            importlib.import_module(named(path).removesuffix(".py").replace("/", "."))
    own, below = list[type[BaseException]](), [BaseException]
    while below:
        kinds = below.pop().__subclasses__()
        below += kinds
        own += [kind for kind in kinds if kind.__module__.startswith("xenwatch.")]
    assert XenwatchError in own
    assert not [f"{kind.__module__}.{kind.__name__}" for kind in own if not issubclass(kind, XenwatchError)]


def test_nothing_depends_on_an_assertion_that_python_dash_o_removes() -> None:
    asserting = [
        f"{named(path)}:{node.lineno}"
        for path in CODE
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Assert)
    ]
    assert not asserting


def test_the_sql_of_one_table_is_in_one_module() -> None:
    """Beside the module that makes all the tables of the run store."""
    places = defaultdict(set)
    for path in CODE:
        if path.name != "schema.py":
            for table in re.findall(r"\b(?:FROM|INTO|UPDATE|JOIN|CREATE TABLE) ([a-z_]+)\b", path.read_text()):
                places[table].add(named(path))
    assert "incidents" in places
    assert not {table: found for table, found in places.items() if len(found) > 1}


def test_the_agent_and_the_web_say_what_they_ask_of_each_other() -> None:
    """A value of another package has its type or a Protocol, not `Any`; `Any` inside of JSON is one value of it."""
    untyped = [
        f"{named(path)}:{node.lineno} {node.arg}"
        for path in CODE
        if path.is_relative_to(ROOT / "xenwatch/agent") or path.is_relative_to(ROOT / "xenwatch/web")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.arg) and node.annotation is not None and _is_any(node.annotation)
    ]
    assert untyped == [item for item in untyped if item.split()[-1] in {"msg", "args", "kwargs"}]  # of the library's


def _is_any(annotation: ast.expr) -> bool:
    return ast.unparse(annotation) in {"Any", "Any | None"}


def test_only_a_format_and_its_rules_name_it_in_a_list() -> None:
    """A format says itself what holds of it (`LogFormat`): nobody keeps a list of several names of formats."""
    names = set(all_formats()) - COMMANDS_TOO
    lists = [
        f"{named(path)}:{node.lineno}"
        for path in CODE
        if "logs/formats" not in str(path)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Set | ast.List | ast.Tuple | ast.Dict)
        and len({text for text in _texts(node) if text in names}) > 1
    ]
    assert not lists


def test_only_the_table_of_kinds_lists_kinds_of_subjects() -> None:
    """A kind says itself what holds of it (`SubjectKind`). An action lists those it acts on; a metric, its labels."""
    parts = ("agent", "config", "diagnosis", "facts", "notify", "remediation", "state", "triage", "web")
    lists = [
        f"{named(path)}:{node.lineno}"
        for path in CODE
        if path.relative_to(ROOT / "xenwatch").parts[0] in parts and path.parent.name != "actions"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Set | ast.List | ast.Tuple | ast.Dict)
        and len({text for text in _texts(node) if text in KINDS}) > 1
    ]
    assert not lists


def test_each_property_of_a_format_is_asked_for() -> None:
    """One that nobody reads is written in each format for nothing."""
    readers = [path.read_text() for path in CODE if path.parent.name != "formats"]
    unread = [item.name for item in fields(LogFormat) if not any(f".{item.name}" in text for text in readers)]
    assert not unread


def _texts(node: ast.Set | ast.List | ast.Tuple | ast.Dict) -> list[str]:
    items = node.keys if isinstance(node, ast.Dict) else node.elts
    return [item.value for item in items if isinstance(item, ast.Constant) and isinstance(item.value, str)]


def test_nobody_writes_as_people_did_long_ago() -> None:
    """Code, pages and packages; rules have a lint of their own, and what that bans stands in its code."""
    pages = [*(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "CHANGELOG.md"]
    packages = [path for path in (ROOT / "packaging").rglob("*") if path.suffix in {".toml", ".service", ".py", ".md"}]
    words = [
        f"{named(path)}:{number}: {word[0]}"
        for path in (*CODE, *pages, *packages)
        if path.name != "plain_words.py"
        for number, line in enumerate(path.read_text().splitlines(), 1)
        for word in ARCHAIC.finditer(line)
    ]
    assert not words


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
