"""The site of the documentation: every page has its place, every link its heading, every target of make exists."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
SITE = ROOT / "packaging/site/mkdocs.yml"
MKDOCS = ROOT / ".venv-tools/bin/mkdocs"
FRONT = {"index.md": "README.md", "CONTRIBUTING.md": "CONTRIBUTING.md", "CHANGELOG.md": "CHANGELOG.md"}
PAGES = [*ROOT.glob("docs/*.md"), *ROOT.glob("docs/runbooks/*.md"), *(ROOT / name for name in FRONT.values())]
LINK = re.compile(r"\]\((?!\w+:)([^)#\s]*)#([^)\s]+)\)")
MADE = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def places(entry: object) -> Iterator[str]:
    """The pages of a navigation."""
    if isinstance(entry, str):
        yield entry
    elif isinstance(entry, dict):
        for inner in entry.values():
            yield from places(inner)
    elif isinstance(entry, list):
        for inner in entry:
            yield from places(inner)


def navigation() -> list[str]:
    (nav,) = re.findall(r"^nav:\n(?:[ -].*\n)+", SITE.read_text(), re.MULTILINE)  # the rest has a tag of Python's own
    return list(places(yaml.safe_load(nav)))


def test_every_page_has_its_place_in_the_navigation_once():
    told = navigation()
    assert len(told) == len(set(told))
    missing = {str(path.relative_to(ROOT / "docs")) for path in PAGES if path.is_relative_to(ROOT / "docs")} - set(told)
    assert not missing
    assert not [page for page in told if not (ROOT / FRONT.get(page, f"docs/{page}")).is_file()]


def anchors(text: str) -> set[str]:
    """Of the headings outside of boxes, as mkdocs and the agent's own pages make them."""
    plain = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+?) *$", plain, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_link_to_a_heading_finds_it(page: Path):
    for target, anchor in LINK.findall(page.read_text()):
        other = page if not target else page.parent / target
        assert anchor in anchors(other.read_text()), f"{target}#{anchor}"


def test_a_heading_that_is_not_there_would_be_found():
    assert "the-debian-package" in anchors((ROOT / "docs/install.md").read_text())
    assert "the-slackware-package" not in anchors((ROOT / "docs/install.md").read_text())


def targets(text: str) -> set[str]:
    """What follows `make` in boxes and code."""
    boxes = re.findall(r"^ {4,}(.*)$|(?<!no )`([^`]+)`|^((?:sudo )?make .*)$", text, re.MULTILINE)
    words = [word for box in boxes for word in box if word]
    return {target for word in words for target in re.findall(r"(?:^|&& |; )(?:sudo )?make ([a-z-]+)", word)}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_target_of_make_in_the_manual_exists(page: Path):
    assert not targets(page.read_text()) - MADE


def test_a_target_that_does_not_exist_would_be_found():
    assert targets("Type `make love` or\n\n    make run   # starts\n") - MADE == {"love"}


FILE = re.compile(
    r"(?<![\w/.-])((?:packaging|alerts|dashboards|tests|xenwatch)/[\w./-]+\.(?:py|sh|toml|ya?ml|json|css))\b"
)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_file_of_the_checkout_that_a_page_names_exists(page: Path):
    missing = {name for name in FILE.findall(page.read_text()) if not (ROOT / name).exists()}
    assert not missing


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(not MKDOCS.exists(), reason="`make docs-site` makes what builds it")
def test_the_site_is_built_and_mkdocs_finds_nothing_wrong(tmp_path: Path):
    command = (MKDOCS, "build", "--quiet", "--strict", "--config-file", SITE, "--site-dir", tmp_path)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "xenwatch" in (tmp_path / "index.html").read_text()
