"""Builds the rpm for Fedora (dom0 of Qubes), EL and openSUSE: `python packaging/rpm/build.py [--python 3.11]`.

The same tree as in the Debian package, for the Python that the target has; `--program` is its path there. It needs
rpmbuild, which Debian has as well. Nothing is compiled.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tree import build as tree_build

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

PLATFORMS = {"x86_64": "x86_64-manylinux_2_28", "aarch64": "aarch64-manylinux_2_28"}
"""By rpm's name of the machine."""


def build(python: str, program: str, out: Path, version: str, arch: str) -> Path:
    """The path of the built package."""
    major, minor = map(int, python.split("."))
    tree = out / f"tree-rpm-{python}-{arch}"
    target = tree_build.Target((major, minor), program, PLATFORMS[arch], zsh="usr/share/zsh/site-functions/_xenwatch")
    tree_build.build_tree(target, tree, out)
    tree_build.copy(ROOT / "LICENSE", tree / "usr/share/licenses/xenwatch/LICENSE")
    tree_build.settle_times(tree)
    with tempfile.TemporaryDirectory() as top:
        subprocess.run(
            _command(Path(top), tree, python, program, version, arch), check=True, env=tree_build.reproducible()
        )
        (made,) = Path(top, "RPMS").rglob("*.rpm")
        package = Path(shutil.move(made, out / made.name))
    shutil.rmtree(tree)
    return package


def _command(top: Path, tree: Path, python: str, program: str, version: str, arch: str) -> list[str]:
    given = {
        "_topdir": top, "_tree": tree, "_python": python, "_program": program, "_version": version,
        # the same file at each build of one commit, on whichever machine
        "_buildhost": "localhost", "use_source_date_epoch_as_buildtime": 1, "clamp_mtime_to_source_date_epoch": 1,
        "_binary_payload": "w6.zstdio",
    }  # fmt: skip
    defines = [word for name, value in given.items() for word in ("--define", f"{name} {value}")]
    return ["rpmbuild", "-bb", "--quiet", "--target", arch, *defines, str(HERE / "xenwatch.spec")]


def main() -> None:
    here = ".".join(map(str, sys.version_info[:2]))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=here, help="version that the target has; default: this one")
    parser.add_argument("--program", help="its path there; default: /usr/bin/pythonVERSION")
    parser.add_argument("--arch", choices=PLATFORMS, default="x86_64")
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    parser.add_argument("--version", default=tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    program = given.program or f"/usr/bin/python{given.python}"
    print(build(given.python, program, given.out.resolve(), given.version, given.arch))


if __name__ == "__main__":
    main()
