"""Builds the Debian package for one release: `python packaging/deb/build.py bookworm|trixie`.

The package carries xenwatch and its Python dependencies (locked, from wheels) in /usr/lib/xenwatch, for the Python of
that release; libvirt's binding is Debian's own, and only suggested, for it brings a toolstack along. Nothing is
compiled and nothing of the system's Python is touched.
`--version` sets another version than pyproject.toml's, for trying an upgrade.
"""

import argparse
import hashlib
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


def build(release: Release, out: Path, version: str) -> Path:
    """The path of the built package."""
    package = out / f"xenwatch_{version}+{release.suffix}_amd64.deb"
    tree = out / f"tree-{release.name}"
    shutil.rmtree(tree, ignore_errors=True)
    lib, share = tree / "usr/lib/xenwatch", tree / "usr/share/xenwatch"
    _libraries(release, lib, out)
    _programs(tree)
    _data(lib, share)
    _manual(tree / "usr/share")
    _control(release, version, tree)
    subprocess.run(["dpkg-deb", "--build", "--root-owner-group", "-Zxz", "-z3", str(tree), str(package)], check=True)
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
        # copies: a link into uv's cache changes under dpkg-deb when another checkout uses the same wheel
        [*uv, "pip", "install", "-q", "--link-mode", "copy", "--target", str(lib), "--python-version", python,
         "--python-platform", "x86_64-manylinux_2_28", "--only-binary", ":all:", "--no-binary", "pyinotify",
         "--no-deps", "-r", str(wanted), *map(str, wheels.glob("*.whl"))], cwd=out, check=True,
    )  # fmt: skip
    shutil.rmtree(lib / "bin", ignore_errors=True)
    (lib / ".lock").unlink(missing_ok=True)
    for path in lib.rglob("__pycache__"):
        shutil.rmtree(path)


def _programs(tree: Path) -> None:
    _write(tree / "usr/bin/xenwatch", (HERE / "xenwatch.sh").read_text(), 0o755)
    _write(tree / "usr/libexec/xenwatch-privileged", (HERE / "xenwatch-privileged.py").read_text(), 0o755)
    for unit in (ROOT / "packaging/systemd").glob("*.*"):
        _copy(unit, tree / "usr/lib/systemd/system" / unit.name)
    _copy(ROOT / "packaging/xenwatch.toml", tree / "etc/xenwatch/xenwatch.toml")
    for shell, where in SHELLS.items():
        told = subprocess.run(
            [sys.executable, "-m", "xenwatch.cli.main", "completion", shell],
            cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
        _write(tree / where, told.stdout)


def _data(lib: Path, share: Path) -> None:
    """Rules are there once, where administrators look for them; the program finds them through a link."""
    bundled = lib / "xenwatch/_bundled/rules"
    shutil.move(bundled, share / "rules")
    bundled.symlink_to("../../../../share/xenwatch/rules")
    # parsed here, so that a first start takes no minutes on a slow dom0
    prepare = [
        sys.executable,
        str(ROOT / "packaging/prepare.py"),
        str(share / "rules"),
        str(bundled.parent / "prepared"),
    ]
    subprocess.run(prepare, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    for alerts in sorted((ROOT / "alerts").glob("*.y*ml")):
        _copy(alerts, share / "alerts" / alerts.name)
    _copy(ROOT / "packaging/lnav/xen.json", share / "lnav/xen.json")
    shutil.copytree(ROOT / "dashboards/out", share / "dashboards")
    shutil.copytree(ROOT / "dashboards/provisioning", share / "grafana")


def _manual(share: Path) -> None:
    doc = share / "doc/xenwatch"
    shutil.copytree(ROOT / "docs", doc / "docs", ignore=shutil.ignore_patterns("*.png", "*.svg"))
    for name in ("README.md", "CHANGELOG.md"):
        _copy(ROOT / name, doc / name)
    _copy(ROOT / "LICENSE", doc / "copyright")
    _copy(ROOT / "packaging/policy.toml", doc / "examples/policy.toml")
    for page in (ROOT / "packaging/man").glob("*.1"):
        _copy(page, share / "man/man1" / page.name)
        subprocess.run(["gzip", "-9n", str(share / "man/man1" / page.name)], check=True)


def _control(release: Release, version: str, tree: Path) -> None:
    low, high = (f"{release.python[0]}.{release.python[1] + step}" for step in (0, 1))
    size = sum(p.stat().st_size for p in tree.rglob("*") if p.is_file()) // 1024
    text = (HERE / "control").read_text().format(version=f"{version}+{release.suffix}", low=low, high=high, size=size)
    _write(tree / "DEBIAN/control", text)
    _write(tree / "DEBIAN/conffiles", "/etc/xenwatch/xenwatch.toml\n")
    sums = [
        f"{hashlib.md5(p.read_bytes(), usedforsecurity=False).hexdigest()}  {p.relative_to(tree)}\n"
        for p in sorted(tree.rglob("*")) if p.is_file() and not p.is_symlink() and "DEBIAN" not in p.parts
    ]  # fmt: skip
    _write(tree / "DEBIAN/md5sums", "".join(sums))
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
    parser.add_argument("release", nargs="*", help=f"of {', '.join(RELEASES)}; default: all")
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    parser.add_argument("--version", default=tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    if unknown := set(given.release) - RELEASES.keys():
        parser.error(f"no such release: {', '.join(unknown)}")
    for name in given.release or RELEASES:
        print(build(RELEASES[name], given.out.resolve(), given.version))


if __name__ == "__main__":
    main()
