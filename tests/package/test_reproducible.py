"""Two builds of one commit are the same, byte by byte; a package for another machine has that machine's libraries."""

import struct
import subprocess
import sys
from pathlib import Path

import pytest
from package.roots import CHECKOUT, why_not

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3000),
    pytest.mark.skipif(why_not() is not None, reason=why_not() or ""),
]
BUILD = [sys.executable, str(CHECKOUT / "packaging/deb/build.py"), "bookworm"]
MACHINES = {"amd64": 62, "arm64": 183}
"""e_machine of ELF files (elf.h)."""


def built(folder: Path, *words: str) -> Path:
    folder.mkdir()
    subprocess.run([*BUILD, "--out", str(folder), *words], check=True, timeout=1500, cwd=CHECKOUT)
    (package,) = folder.glob("*.deb")
    return package


def test_the_debian_package_is_the_same_at_each_build(tmp_path: Path):
    first, second = built(tmp_path / "first"), built(tmp_path / "second")
    assert first.read_bytes() == second.read_bytes()


def test_the_wheel_is_the_same_at_each_build(tmp_path: Path):
    made = []
    for name in ("first", "second"):
        out = tmp_path / name
        subprocess.run([sys.executable, "-m", "uv", "build", "-q", "--wheel", "-o", str(out)], cwd=CHECKOUT, check=True)
        made += out.glob("*.whl")
    assert made[0].read_bytes() == made[1].read_bytes()


@pytest.mark.parametrize("arch", MACHINES)
def test_all_libraries_are_those_of_the_machine(arch: str, tmp_path: Path):
    package = built(tmp_path / "built", "--arch", arch)
    asked = ["dpkg-deb", "-f", str(package), "Architecture"]
    assert subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip() == arch
    subprocess.run(["dpkg-deb", "-x", str(package), str(tmp_path / "tree")], check=True)
    libraries = [path for path in (tmp_path / "tree").rglob("*.so*") if path.read_bytes()[:4] == b"\x7fELF"]
    assert len(libraries) > 10
    assert {struct.unpack_from("<H", path.read_bytes(), 18)[0] for path in libraries} == {MACHINES[arch]}
