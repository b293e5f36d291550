"""Builds the Debian package for one release: `python packaging/deb/build.py bookworm|trixie [--arch arm64]`.

The package carries xenwatch and its Python dependencies (locked, from wheels) in /usr/lib/xenwatch, for the Python of
that release; libvirt's binding is Debian's own, and only suggested, for it brings a toolstack along. Nothing is
compiled, so that it can be built for another machine than this, and nothing of the system's Python is touched.
`--version` sets another version than pyproject.toml's, for trying an upgrade.
"""

import argparse
import gzip
import hashlib
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tree import build as tree_build

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

PLATFORMS = {"amd64": "x86_64-manylinux_2_28", "arm64": "aarch64-manylinux_2_28"}
"""By Debian's name of the machine."""
CONTROL_FILES = ("postinst", "prerm", "postrm")


@dataclass(frozen=True)
class Release:
    """A Debian release: its name, the suffix of our version, and its Python."""

    name: str
    suffix: str
    python: tuple[int, int]


RELEASES = {r.name: r for r in (Release("bookworm", "deb12", (3, 11)), Release("trixie", "deb13", (3, 13)))}


def build(release: Release, out: Path, version: str, arch: str = "amd64") -> Path:
    """The path of the built package."""
    package = out / f"xenwatch_{version}+{release.suffix}_{arch}.deb"
    tree = out / f"tree-{release.name}-{arch}"
    tree_build.build_tree(tree_build.Target(release.python, platform=PLATFORMS[arch]), tree, out)
    _documents(release, version, tree)
    _control(release, version, tree, arch)
    tree_build.settle_times(tree)
    command = ["dpkg-deb", "--build", "--root-owner-group", "-Zxz", "-z3", str(tree), str(package)]
    subprocess.run(command, check=True, env=tree_build.reproducible())
    shutil.rmtree(tree)
    return package


def _documents(release: Release, version: str, tree: Path) -> None:
    """What Debian's policy asks for beside the manual."""
    at = formatdate(int(tree_build.commit_time()))
    entry = f"xenwatch ({version}+{release.suffix}) {release.name}; urgency=medium\n\n  * See CHANGELOG.md.\n\n"
    entry += f" -- The xenwatch developers <xenwatch@localhost>  {at}\n"
    (tree / "usr/share/doc/xenwatch/changelog.gz").write_bytes(gzip.compress(entry.encode(), 9, mtime=0))
    tree_build.copy(HERE / "copyright", tree / "usr/share/doc/xenwatch/copyright")
    tree_build.copy(HERE / "lintian-overrides", tree / "usr/share/lintian/overrides/xenwatch")


def _control(release: Release, version: str, tree: Path, arch: str = "amd64") -> None:
    low, high = (f"{release.python[0]}.{release.python[1] + step}" for step in (0, 1))
    size = sum(p.stat().st_size for p in tree.rglob("*") if p.is_file()) // 1024
    text = (HERE / "control").read_text()
    text = text.format(version=f"{version}+{release.suffix}", arch=arch, low=low, high=high, size=size)
    tree_build.write(tree / "DEBIAN/control", text)
    tree_build.write(tree / "DEBIAN/conffiles", "/etc/xenwatch/xenwatch.toml\n")
    sums = [
        f"{hashlib.md5(p.read_bytes(), usedforsecurity=False).hexdigest()}  {p.relative_to(tree)}\n"
        for p in sorted(tree.rglob("*")) if p.is_file() and not p.is_symlink() and "DEBIAN" not in p.parts
    ]  # fmt: skip
    tree_build.write(tree / "DEBIAN/md5sums", "".join(sums))
    for script in CONTROL_FILES:
        tree_build.write(tree / "DEBIAN" / script, (HERE / script).read_text(), 0o755)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("release", nargs="*", help=f"of {', '.join(RELEASES)}; default: all")
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    parser.add_argument("--arch", choices=PLATFORMS, default="amd64")
    parser.add_argument("--version", default=tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    if unknown := set(given.release) - RELEASES.keys():
        parser.error(f"no such release: {', '.join(unknown)}")
    for name in given.release or RELEASES:
        print(build(RELEASES[name], given.out.resolve(), given.version, given.arch))


if __name__ == "__main__":
    main()
