"""Adds the pages of the site that lie outside of docs/: README.md as its first page, CONTRIBUTING.md and CHANGELOG.md.

mkdocs loads this as a hook (https://www.mkdocs.org/user-guide/configuration/#hooks).
"""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
PAGES = {"README.md": "index.md", "CONTRIBUTING.md": "CONTRIBUTING.md", "CHANGELOG.md": "CHANGELOG.md"}
"""By the name at the top of the checkout, the name in the site."""
_LINK = re.compile(r"\]\((?!\w+:)(?:docs/)?([^)#\s]*)")


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Called once with the files of docs/."""
    for name, page in PAGES.items():
        files.append(File.generated(config, page, content=within(ROOT.joinpath(name).read_text(encoding="utf-8"))))
    return files


def within(text: str) -> str:
    """The text with its links as seen from docs/: `docs/http.md` is `http.md`, and a folder is its first page."""
    return _LINK.sub(lambda found: f"]({_placed(found[1])}", text)


def _placed(target: str) -> str:
    return f"{target.rstrip('/')}/README.md" if ROOT.joinpath("docs", target).is_dir() and target else target
