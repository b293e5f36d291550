"""The bill of materials as CycloneDX: `python packaging/audit/sbom.py CYCLONEDX [FILE]`.

Without FILE it is dist/xenwatch-VERSION.cdx.json. It lists what is locked and needed at run time, with the hashes of
the lock, and not what only development needs.
"""

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UV = [sys.executable, "-m", "uv"]


def locked() -> str:
    """The dependencies of the package with all extras, in the versions of the lock."""
    command = [
        *UV, "pip", "compile", "-q", "pyproject.toml", "--all-extras", "--no-annotate", "--no-header",
        "--generate-hashes", "-c", "requirements.lock",
    ]  # fmt: skip
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def write(cyclonedx: str, place: Path) -> None:
    """Make the file; the same lock gives the same file."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as wanted:
        wanted.write(locked())
        wanted.flush()
        command = [
            cyclonedx, "requirements", "--pyproject", "pyproject.toml", "--mc-type", "application", "--sv", "1.6",
            "--output-reproducible", "-o", str(place), wanted.name,
        ]  # fmt: skip
        subprocess.run(command, cwd=ROOT, check=True)


if __name__ == "__main__":
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    target = Path(sys.argv[2]) if len(sys.argv) > 2 else ROOT / f"dist/xenwatch-{version}.cdx.json"  # noqa: PLR2004
    write(sys.argv[1], target.resolve())
    print(target)
