"""Writes every dashboard of this folder as JSON below out/.

usage: dashboards/build.py            after a dashboard was changed
       dashboards/build.py --check    says what is out of date; exit code 1
"""

import importlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from grafanalib._gen import DashboardEncoder

HERE = Path(__file__).resolve().parent
if str(HERE.parent) not in sys.path:  # dashboards/lib is no installed package
    sys.path.insert(0, str(HERE.parent))
finished = importlib.import_module("dashboards.lib.finish").finished
OUT = HERE / "out"


def boards() -> dict[str, dict[str, Any]]:
    """Every dashboard by its file's name, as Grafana takes it."""
    names = sorted(path.stem for path in HERE.glob("*.py") if path.name != "build.py")
    return {name: built(importlib.import_module(f"dashboards.{name}").DASHBOARD) for name in names}


def built(board: Any) -> dict[str, Any]:
    """One dashboard, through grafanalib's encoder."""
    return finished(json.loads(json.dumps(board.to_json_data(), cls=DashboardEncoder)))  # type: ignore[no-any-return]


def written(board: dict[str, Any]) -> str:
    """As it stands in git: sorted, so that a change shows where it is."""
    return json.dumps(board, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def main(words: Sequence[str]) -> int:
    """Exit code."""
    wanted = {OUT / f"{name.replace('_', '-')}.json": written(board) for name, board in boards().items()}
    there = {path: path.read_text() for path in OUT.glob("*.json")}
    if "--check" in words:
        stale = sorted(path for path in wanted.keys() | there.keys() if wanted.get(path) != there.get(path))
        sys.stderr.writelines(
            f"{path.relative_to(HERE.parent)} is out of date: run make dashboards\n" for path in stale
        )
        return int(bool(stale))
    OUT.mkdir(exist_ok=True)
    for path in there.keys() - wanted.keys():
        path.unlink()
    for path, text in wanted.items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
