"""The page about the architecture names what is there: every path exists, and its folders are the folders."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/architecture.md").read_text()
BLOCKS = re.findall(r"^```\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
PATHS = sorted(set(re.findall(r"`((?:[\w.-]+/)+(?:[\w.-]+\.\w+)?|\w+\.toml)`", PAGE)))


def test_the_page_names_modules_and_folders():
    assert len([path for path in PATHS if path.endswith(".py")]) > 40
    assert "tests/unit/" not in PATHS


@pytest.mark.parametrize("path", PATHS)
def test_every_path_on_the_page_exists(path: str):
    places = [ROOT / "xenwatch" / path, ROOT / path, ROOT / "tests" / path]
    assert any(place.exists() for place in places), path


def test_a_path_that_does_not_exist_would_be_found():
    assert not (ROOT / "xenwatch" / "diagnosis/pipelines.py").exists()


def folders(tree: str) -> set[str]:
    """The folders of the drawn tree, with those above them: `diagnosis/authoring/lints`."""
    above: list[str] = []
    found = set()
    for indent, name in re.findall(r"^( +)(\w+)/ ", tree, re.MULTILINE):
        depth = len(indent) // 2 - 1
        above = [*above[:depth], name]
        found.add("/".join(above))
    return found


def test_the_tree_on_the_page_is_the_tree_of_folders():
    (tree,) = [block for block in BLOCKS if block.startswith("xenwatch/\n")]
    package = ROOT / "xenwatch"
    assert folders(tree) == {str(path.parent.relative_to(package)) for path in package.rglob("*/__init__.py")}


def test_a_folder_that_is_missing_from_the_tree_would_be_found():
    assert folders("xenwatch/\n  cli/   x\n    report/   y\n  base/ z\n") == {"cli", "cli/report", "base"}


def test_the_layers_on_the_page_are_those_that_import_linter_checks():
    (layers,) = [block.splitlines() for block in BLOCKS if block.startswith("cli\n")]
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (checked,) = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    assert layers == [layer.replace("xenwatch.", "") for layer in checked]
