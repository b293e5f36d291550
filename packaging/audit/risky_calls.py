"""What bandit finds in the code and nobody has given a reason for: `python packaging/audit/risky_calls.py BANDIT`.

The reasons are in exceptions.yaml: a check, a file, why it is well there. An exception that excuses nothing any more is
reported too. Exit code 1 if there is either.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
EXCEPTIONS = Path(__file__).parent / "exceptions.yaml"


def found(bandit: str) -> list[dict[str, Any]]:
    """Every finding in `xenwatch/`."""
    command = [bandit, "-q", "-r", "xenwatch", "-f", "json"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    results: list[dict[str, Any]] = json.loads(said)["results"]
    return results


def unexcused(results: Iterable[dict[str, Any]], excused: set[tuple[str, str]]) -> Iterator[str]:
    """A line for each finding without a reason, and for each reason without a finding."""
    seen = set()
    for one in results:
        key = (one["test_id"], one["filename"].removeprefix("./"))
        seen.add(key)
        if key not in excused:
            yield f"{key[1]}:{one['line_number']}: {key[0]} {one['issue_text']}"
    yield from (f"{file}: {check} is excused in exceptions.yaml and no longer there" for check, file in excused - seen)


def exceptions(path: Path = EXCEPTIONS) -> set[tuple[str, str]]:
    """Check and file of each; KeyError where one has no reason."""
    told = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {(one["check"], file) for one in told if one["reason"] for file in one["files"]}


if __name__ == "__main__":
    problems = sorted(unexcused(found(sys.argv[1]), exceptions()))
    print("\n".join(problems))
    sys.exit(bool(problems))
