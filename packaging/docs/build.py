"""Writes the parts of docs/ that are made from the code: failures, commands, metrics; and the man pages.

usage: packaging/docs/build.py            after a rule, a command or a metric was added or changed
       packaging/docs/build.py --check    says what is out of date; exit code 1
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import commands
import failures
import man
import metrics

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("docs/failures", "packaging/man")
"""Everything in these is generated: a page whose rule or command is gone goes, too."""


def pages() -> dict[str, str]:
    """Every generated file, by its path below the checkout."""
    return {**failures.pages(), **man.pages(), "docs/commands.md": commands.page(), "docs/metrics.md": metrics.page()}


def stale(made: dict[str, str]) -> list[str]:
    """What differs from the files that are there, with words for how."""
    found = [f"{path}: out of date" for path, text in made.items() if _read(path) != text]
    return found + [f"{path}: nothing makes it any more" for path in _there() if path not in made]


def write(made: dict[str, str]) -> None:
    """Put all in place."""
    for path in _there():
        if path not in made:
            (ROOT / path).unlink()
    for path, text in made.items():
        if _read(path) != text:
            (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / path).write_text(text, encoding="utf-8")


def _there() -> list[str]:
    return [str(file.relative_to(ROOT)) for folder in FOLDERS for file in sorted((ROOT / folder).glob("*"))]


def _read(path: str) -> str | None:
    file = ROOT / path
    return file.read_text(encoding="utf-8") if file.is_file() else None


def main() -> None:
    """As the usage says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; say what is out of date")
    made = pages()
    if not parser.parse_args().check:
        write(made)
    elif found := stale(made):
        sys.exit("\n".join([*found, "run: make docs"]))


if __name__ == "__main__":
    main()
