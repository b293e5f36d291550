"""Writes what is made from the code: docs/failures, checks, commands, metrics, man pages, parts of README and http.md.

usage: packaging/docs/build.py            write all, after a rule, a command or a metric was added or changed
       packaging/docs/build.py --check    list what is out of date; exit code 1 if there is any
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import commands
import failures
import headings
import man
import man_files
import metrics
import readme
import standing

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("docs/failures", "packaging/man")
"""Everything in these is generated: a page without its rule or command is deleted."""


def pages() -> dict[str, str]:
    """Every generated file, by its path below the checkout."""
    return {
        **failures.pages(),
        **man.pages(),
        **man_files.pages(),
        standing.PAGE: standing.page(),
        "docs/commands.md": commands.page(),
        "docs/metrics.md": metrics.page(),
        headings.PAGE: headings.page(),
        "README.md": readme.page(),
    }


def stale(made: dict[str, str]) -> list[str]:
    """The files that differ from what is made now, each with how it differs."""
    outdated = [f"{path}: out of date" for path, text in made.items() if _read(path) != text]
    return outdated + [f"{path}: nothing makes it any more" for path in _existing() if path not in made]


def write(made: dict[str, str]) -> None:
    """Write all pages; delete those that nothing makes any more."""
    for path in _existing():
        if path not in made:
            (ROOT / path).unlink()
    for path, text in made.items():
        if _read(path) != text:
            (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / path).write_text(text, encoding="utf-8")


def _existing() -> list[str]:
    return [str(file.relative_to(ROOT)) for folder in FOLDERS for file in sorted((ROOT / folder).glob("*"))]


def _read(path: str) -> str | None:
    file = ROOT / path
    return file.read_text(encoding="utf-8") if file.is_file() else None


def main() -> None:
    """Write or check, as the usage says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; list what is out of date")
    made = pages()
    if not parser.parse_args().check:
        write(made)
    elif problems := stale(made):
        sys.exit("\n".join([*problems, "run: make docs"]))


if __name__ == "__main__":
    main()
