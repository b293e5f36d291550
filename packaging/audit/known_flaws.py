"""Known flaws of what is locked: `python packaging/audit/known_flaws.py PIP_AUDIT`. Needs the index's list of flaws.

Exit code 1 for a flaw, 3 where nobody could be asked: an index without that list is no proof that all is well.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.lock", "packaging/tools.lock", "packaging/boards.lock")
NOT_ASKED = 3


def told(pip_audit: str, lock: str) -> dict[str, Any]:
    """pip-audit's own JSON about a lock; nothing is installed for it."""
    command = [pip_audit, "--disable-pip", "--require-hashes", "-r", lock, "-f", "json", "--progress-spinner", "off"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    try:
        said: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        sys.exit(f"{lock}: pip-audit: {done.stderr.strip()}")
    return said


def flaws(said: dict[str, Any]) -> Iterator[str]:
    """A line for each flaw of a package."""
    for package in said["dependencies"]:
        for flaw in package.get("vulns", ()):
            fixed = ", ".join(flaw["fix_versions"]) or "not fixed"
            yield f"{package['name']} {package['version']}: {flaw['id']} ({fixed})"


def asked(said: dict[str, Any]) -> int:
    """How many packages the index knew."""
    return sum("skip_reason" not in package for package in said["dependencies"])


def main() -> int:
    answers = {lock: told(sys.argv[1], lock) for lock in LOCKS}
    problems = [flaw for said in answers.values() for flaw in flaws(said)]
    print("\n".join(problems))
    silent = [lock for lock, said in answers.items() if not asked(said)]
    print(*(f"{lock}: the index told nothing of any package; ask one that does" for lock in silent), sep="\n")
    return 1 if problems else NOT_ASKED if silent else 0


if __name__ == "__main__":
    sys.exit(main())
