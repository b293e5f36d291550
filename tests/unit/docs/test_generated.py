"""What is made from the code is current, and whatever there is to use is documented somewhere."""

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from xenwatch.remediation.registry import load_catalogue
from xenwatch.sampling.catalogue import all_metrics

ROOT = Path(__file__).parents[3]
DOCS = sorted((ROOT / "docs").glob("*.md"))
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


@pytest.fixture(scope="module")
def build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_build", ROOT / "packaging/docs/build.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    before = list(sys.path)
    spec.loader.exec_module(module)
    sys.path[:] = before
    return module


def test_what_is_generated_is_current_run_make_docs_otherwise(build: ModuleType):
    assert not build.stale(build.pages())


def test_a_changed_a_missing_and_a_left_over_page_are_each_noticed(build: ModuleType):
    made = build.pages()
    page = "docs/failures/vif-bridge-missing.md"
    assert build.stale({**made, page: made[page] + "x"}) == [f"{page}: out of date"]
    assert build.stale({k: v for k, v in made.items() if k != page}) == [f"{page}: nothing makes it any more"]
    assert build.stale({**made, "docs/failures/new.md": ""}) == ["docs/failures/new.md: out of date"]


def test_every_rule_that_can_open_an_incident_has_a_page():
    rules = [yaml.safe_load(path.read_text()) for path in (ROOT / "rules").rglob("*.yaml")]
    wanted = {rule["id"] for rule in rules if not rule.get("noise")}
    assert wanted <= {path.stem for path in (ROOT / "docs/failures").glob("*.md")}


def test_the_page_of_a_former_id_leads_to_the_present_one():
    page = (ROOT / "docs/failures/libxl-mem-step.md").read_text()
    assert "[`libxl-memory-error`](libxl-memory-error.md)" in page
    assert (ROOT / "docs/failures/libxl-memory-error.md").is_file()


def test_every_metric_and_every_action_is_in_the_manual():
    metrics = (ROOT / "docs/metrics.md").read_text()
    assert not [name for name in all_metrics() if f"`{name}`" not in metrics]
    remediation = (ROOT / "docs/remediation.md").read_text()
    assert not [name for name in load_catalogue() if f"`{name}`" not in remediation]


def test_every_variable_of_the_environment_is_in_the_manual():
    code = "\n".join(path.read_text() for path in (ROOT / "xenwatch").rglob("*.py"))
    names = set(re.findall(r'"(XENWATCH_[A-Z_]+[A-Z])"', code))
    told = "\n".join(path.read_text() for path in DOCS)
    assert names
    assert not {name for name in names if name not in told}


def test_every_target_of_make_says_what_it_does_or_is_a_part_of_another():
    text = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", text, re.MULTILINE))
    said = set(re.findall(r"^([a-z-]+):.*## ", text, re.MULTILINE))
    parts = {
        word for line in re.findall(r"^[a-z-]+: ([a-z -]+?)(?: *##.*)?$", text, re.MULTILINE) for word in line.split()
    }
    assert targets - said <= parts | {"clean"}


@pytest.mark.parametrize("page", [*DOCS, ROOT / "README.md", ROOT / "docs/failures/README.md"], ids=lambda p: p.name)
def test_every_link_between_pages_leads_somewhere(page: Path):
    links = [link for link in LINK.findall(page.read_text()) if "://" not in link]
    assert not [link for link in links if not (page.parent / link).exists()]
