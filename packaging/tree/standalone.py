"""Builds the tree for an old dom0 (/opt/xenwatch): `python packaging/tree/standalone.py --interpreter FOLDER`.

It brings its own Python and libraries that need no more than glibc 2.17 (manylinux2014), and touches nothing outside.
The interpreter is an unpacked python-build-standalone, or what interpreter.sh built on the oldest system at hand.
"""

import argparse
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tree import build as tree_build

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
HOME = "/opt/xenwatch"
OLD = {"google-re2": "1.1"}
"""Instead of the locked version: the last one with a wheel for glibc 2.17. The matcher's tests hold with it."""
_LEFT_OUT = ("__pycache__", "test", "site-packages", "idlelib", "tkinter", "lib2to3", "ensurepip", "config-*", "*.a")
"""Of the interpreter's folder: what xenwatch does not load."""
PROGRAM = """#!/bin/sh
# xenwatch with its own Python and libraries, wherever this tree was unpacked; nothing of the system's Python is used.
here=$(dirname "$(readlink -f "$0")")/..
PYTHONPATH=$here/lib PYTHONNOUSERSITE=1 exec "$here/python/bin/python3" -m xenwatch.cli.main "$@"
"""


def build(interpreter: Path, out: Path, version: str) -> Path:
    """The path of the archive."""
    asked = "import sys; print(*sys.version_info[:2])"
    said = subprocess.run([interpreter / "bin/python3", "-c", asked], check=True, capture_output=True, text=True).stdout
    major, minor = map(int, said.split())
    tree = out / "standalone/xenwatch"
    shutil.rmtree(tree.parent, ignore_errors=True)
    target = tree_build.Target((major, minor), platform="x86_64-manylinux2014", instead=OLD)
    tree_build.libraries(target, tree / "lib", out)
    tree_build.data(tree / "lib", tree / "share")
    shutil.copytree(interpreter, tree / "python", symlinks=True, ignore=shutil.ignore_patterns(*_LEFT_OUT))
    _programs(tree)
    tree_build.settle_times(tree)
    archive = out / f"xenwatch-{version}-tree-x86_64.tar.xz"
    pack = ["tar", "--sort=name", "--owner=0", "--group=0", "--numeric-owner", "-cJf", str(archive), "xenwatch"]
    subprocess.run(pack, cwd=tree.parent, check=True)
    shutil.rmtree(tree.parent)
    return archive


def _programs(tree: Path) -> None:
    """The command, the privileged programs, and the units that start them from here."""
    tree_build.write(tree / "bin/xenwatch", PROGRAM, 0o755)
    privileged = _moved((HERE / "privileged.py").read_text())
    tree_build.write(tree / "bin/xenwatch-privileged", privileged, 0o755)
    for unit in sorted((ROOT / "packaging/systemd").glob("*.*")):
        tree_build.write(tree / "share/systemd" / unit.name, _moved(unit.read_text()))
    for name in ("xenwatch.toml", "policy.toml"):
        tree_build.copy(ROOT / "packaging" / name, tree / "share/examples" / name)
    tree_build.copy(ROOT / "LICENSE", tree / "share/LICENSE")


def _moved(text: str) -> str:
    """The text with the places of this tree."""
    for place, ours in (
        ("/usr/bin/python3", f"{HOME}/python/bin/python3"), ("/usr/lib/xenwatch", f"{HOME}/lib"),
        ("/usr/bin/xenwatch", f"{HOME}/bin/xenwatch"),
        ("/usr/libexec/xenwatch-privileged", f"{HOME}/bin/xenwatch-privileged"),
    ):  # fmt: skip
        text = text.replace(place, ours)
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--interpreter", type=Path, required=True, help="folder with bin/python3 in it")
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    print(build(given.interpreter.resolve(), given.out.resolve(), version))


if __name__ == "__main__":
    main()
