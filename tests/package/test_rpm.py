"""The rpm: made of the same tree as the Debian package, installed by rpm in a clean root, erased again.

No root of Fedora, EL or SUSE can be made from Debian's archive; the root is Debian's, and rpm is told so (--nodeps).
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from package.roots import CHECKOUT, Root, unpacked, why_not

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(why_not() is not None, reason=why_not() or ""),
    pytest.mark.skipif(shutil.which("rpmbuild") is None, reason="needs rpmbuild"),
]
LOG = "libxl: error: libxl_device.c:1351:device_hotplug_child_death_cb: script: Could not find bridge device xenbr7\n"


@pytest.fixture(scope="module")
def rpm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("rpm")
    argv = [sys.executable, str(CHECKOUT / "packaging/rpm/build.py"), "--python", "3.11", "--out", str(out)]
    subprocess.run(argv, check=True, timeout=1500, cwd=CHECKOUT)
    (made,) = out.glob("*.rpm")
    return made


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Root]:
    with unpacked("bookworm", tmp_path) as one:
        (one.folder / "tmp/xl-web.log").write_text(LOG)
        yield one


def query(rpm: Path, *words: str) -> list[str]:
    return subprocess.run(["rpm", "-qp", *words, str(rpm)], check=True, capture_output=True, text=True).stdout.split(
        "\n"
    )


def test_it_asks_for_its_python_and_offers_its_libraries_to_nobody(rpm: Path):
    assert "python(abi) = 3.11" in query(rpm, "--requires")
    offered = [line for line in query(rpm, "--provides") if line]
    assert all(line.startswith("xenwatch") for line in offered)
    assert "/etc/xenwatch/xenwatch.toml" in query(rpm, "--configfiles")


def test_installed_it_knows_a_failure_and_erased_it_leaves_nothing_of_itself(rpm: Path, root: Root):
    before = root.files()
    put = ["rpm", "--root", str(root.folder), "--nodeps", "--ignoresize"]
    subprocess.run([*put, "-i", str(rpm)], check=True, timeout=600)
    assert root.run("xenwatch --version").startswith("xenwatch, version ")
    assert "vif-bridge-missing" in root.run("xenwatch diagnose /tmp/xl-web.log", ok=(1,))
    assert root.run("getent passwd xenwatch")
    subprocess.run([*put, "-e", "xenwatch"], check=True, timeout=600)
    left = {path for path in root.files() - before if "xenwatch" in path and not path.startswith(("var/", "root/"))}
    assert not left
