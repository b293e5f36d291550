"""Builds the Debian package for one release: `python packaging/deb/build.py bookworm|trixie`.

The package carries xenwatch and its Python dependencies (locked, from wheels) in /usr/lib/xenwatch, for the Python of that
release; libvirt's binding is Debian's own. Nothing is compiled and nothing of the system's Python is touched.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SHELLS = {
    "bash": "usr/share/bash-completion/completions/xenwatch",
    "zsh": "usr/share/zsh/vendor-completions/_xenwatch",
    "fish": "usr/share/fish/vendor_completions.d/xenwatch.fish",
}


@dataclass(frozen=True)
class Release:
    """A Debian release: its name, the suffix of our version, and its Python."""

    name: str
    suffix: str
    python: tuple[int, int]


RELEASES = {r.name: r for r in (Release("bookworm", "deb12", (3, 11)), Release("trixie", "deb13", (3, 13)))}


def build(release: Release, out: Path) -> Path:
    """The path of the built package."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    package = out / f"xenwatch_{version}+{release.suffix}_amd64.deb"
    tree = out / f"tree-{release.name}"
    shutil.rmtree(tree, ignore_errors=True)
    _libraries(release, tree / "usr/lib/xenwatch", out)
    _files(tree)
    _control(release, version, tree)
    subprocess.run(["dpkg-deb", "--build", "--root-owner-group", "-Zxz", str(tree), str(package)], check=True)
    shutil.rmtree(tree)
    return package


def _libraries(release: Release, lib: Path, out: Path) -> None:
    uv = [sys.executable, "-m", "uv"]
    wheels = out / "wheel"
    shutil.rmtree(wheels, ignore_errors=True)
    subprocess.run([*uv, "build", "-q", "--wheel", "--out-dir", str(wheels)], cwd=ROOT, check=True)
    wanted = out / f"requirements-{release.name}.txt"
    python = ".".join(map(str, release.python))
    # the versions of the lock, less what only development needs and less libvirt's binding
    locked = subprocess.run(
        [*uv, "pip", "compile", "-q", "pyproject.toml", "--python-version", python, "--no-annotate", "--no-header",
         "-c", "requirements.lock"], cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    wanted.write_text("".join(f"{line}\n" for line in locked.splitlines() if not line.startswith("libvirt-python")))
    lib.mkdir(parents=True)
    subprocess.run(
        [*uv, "pip", "install", "-q", "--target", str(lib), "--python-version", python, "--python-platform",
         "x86_64-manylinux_2_28", "--only-binary", ":all:", "--no-binary", "pyinotify", "--no-deps",
         "-r", str(wanted), *map(str, wheels.glob("*.whl"))], cwd=out, check=True,
    )  # fmt: skip
    shutil.rmtree(lib / "bin", ignore_errors=True)
    for path in lib.rglob("__pycache__"):
        shutil.rmtree(path)


def _files(tree: Path) -> None:
    _write(tree / "usr/bin/xenwatch", (HERE / "xenwatch.sh").read_text(), 0o755)
    _copy(ROOT / "packaging/systemd/xenwatch.service", tree / "lib/systemd/system/xenwatch.service")
    _copy(ROOT / "packaging/systemd/xenwatch@.service", tree / "lib/systemd/system/xenwatch@.service")
    _copy(ROOT / "packaging/xenwatch.toml", tree / "etc/xenwatch/xenwatch.toml")
    _copy(ROOT / "packaging/policy.toml", tree / "usr/share/doc/xenwatch/examples/policy.toml")
    for name in ("rules", "alerts"):
        shutil.copytree(ROOT / name, tree / "usr/share/xenwatch" / name)
    shutil.copytree(ROOT / "dashboards/out", tree / "usr/share/xenwatch/dashboards")
    for name in ("README.md", "CHANGELOG.md"):
        _copy(ROOT / name, tree / "usr/share/doc/xenwatch" / name)
    _copy(ROOT / "LICENSE", tree / "usr/share/doc/xenwatch/copyright")
    shutil.copytree(ROOT / "packaging/man", tree / "usr/share/man/man1")
    for page in (tree / "usr/share/man/man1").glob("*.1"):
        subprocess.run(["gzip", "-9n", str(page)], check=True)
    for shell, where in SHELLS.items():
        script = subprocess.run(
            [sys.executable, "-m", "xenwatch.cli.main"], cwd=ROOT, capture_output=True, text=True, check=False,
            env={**os.environ, "_XENWATCH_COMPLETE": f"{shell}_source"},
        ).stdout  # fmt: skip
        if "xenwatch" not in script:
            raise SystemExit(f"no completion script came out for {shell}")
        _write(tree / where, script)


def _control(release: Release, version: str, tree: Path) -> None:
    low, high = (f"{release.python[0]}.{release.python[1] + step}" for step in (0, 1))
    size = sum(p.stat().st_size for p in tree.rglob("*") if p.is_file()) // 1024
    text = (HERE / "control").read_text().format(version=f"{version}+{release.suffix}", low=low, high=high, size=size)
    _write(tree / "DEBIAN/control", text)
    _write(tree / "DEBIAN/conffiles", "/etc/xenwatch/xenwatch.toml\n")
    for script in ("postinst", "prerm", "postrm"):
        _write(tree / "DEBIAN" / script, (HERE / script).read_text(), 0o755)


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def _copy(source: Path, path: Path) -> None:
    _write(path, source.read_text())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("release", choices=RELEASES, nargs="*", default=list(RELEASES))
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    for name in given.release:
        print(build(RELEASES[name], given.out.resolve()))


if __name__ == "__main__":
    main()
