"""The packages that are tried: of each release, and the same as a later version."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from package.roots import CHECKOUT

RELEASES = {"bookworm": "deb12", "trixie": "deb13"}


@pytest.fixture(scope="session", params=RELEASES)
def release(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def built(release: str) -> Path | None:
    """The package in dist/, where nothing that goes into it is newer."""
    found = sorted((CHECKOUT / "dist").glob(f"xenwatch_*+{RELEASES[release]}_amd64.deb"))
    sources = (path for name in ("xenwatch", "rules", "packaging") for path in (CHECKOUT / name).rglob("*"))
    newest = max(p.stat().st_mtime for p in sources if p.is_file() and "__pycache__" not in p.parts)
    return found[-1] if found and found[-1].stat().st_mtime >= newest else None


@pytest.fixture(scope="session")
def package(release: str) -> Path:
    """From `make deb`, or built now."""
    if built(release) is None:
        argv = [sys.executable, str(CHECKOUT / "packaging/deb/build.py"), release]
        subprocess.run(argv, check=True, timeout=1500, cwd=CHECKOUT)
    return max((CHECKOUT / "dist").glob(f"xenwatch_*+{RELEASES[release]}_amd64.deb"))


@pytest.fixture(scope="session")
def next_version(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with a higher version and a changed example configuration."""
    folder = tmp_path_factory.mktemp("next")
    subprocess.run(["dpkg-deb", "-R", str(package), str(folder / "tree")], check=True)
    control = folder / "tree/DEBIAN/control"
    lines = [f"{line}.next" if line.startswith("Version:") else line for line in control.read_text().splitlines()]
    control.write_text("\n".join(lines) + "\n")
    with (folder / "tree/etc/xenwatch/xenwatch.toml").open("a") as config:
        config.write("# the next version's\n")
    path = folder / "next.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "-b", str(folder / "tree"), str(path)], check=True
    )
    shutil.rmtree(folder / "tree")
    return path
