"""What installing the Debian package brings onto a clean dom0: what is needed, and no second toolstack."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from monitoring.scripts import load
from package.roots import CHECKOUT, Root, unpacked, why_not

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(why_not() is not None, reason=why_not() or ""),
]

MOST = 45
TOOLSTACKS = re.compile(r"libvirt|qemu|xen-utils|xen-system|gtk|mesa|x11")
BUILD = load(CHECKOUT / "packaging/deb/build.py")


@pytest.fixture
def root(release: str, tmp_path: Path) -> Iterator[Root]:
    """A minimal system, and in it a package that has our dependencies and nothing else."""
    tree = tmp_path / "tree"
    BUILD._control(BUILD.RELEASES[release], "0", tree)
    (tree / "DEBIAN/conffiles").unlink()
    for script in ("postinst", "prerm", "postrm"):
        (tree / "DEBIAN" / script).unlink()
    with unpacked(release, tmp_path, "apt") as one:
        argv = ["dpkg-deb", "--build", tree, one.folder / "tmp/xenwatch.deb"]
        subprocess.run(argv, check=True, capture_output=True)
        one.run("apt-get update -qq", timeout=900)
        yield one


def installed(root: Root, words: str) -> set[str]:
    """The packages that apt would add."""
    said = root.run(f"apt-get -s install -y {words}", timeout=900)
    return {line.split()[1] for line in said.splitlines() if line.startswith("Inst ")}


def test_it_brings_what_is_needed_with_what_is_recommended_and_no_second_toolstack(root: Root):
    names = installed(root, "/tmp/xenwatch.deb")
    assert {"xenwatch", "python3", "lvm2"} <= names
    assert len(names) <= MOST, f"{len(names)} packages: {' '.join(sorted(names))}"
    assert not [name for name in names if TOOLSTACKS.search(name)]


def test_the_binding_of_libvirt_alone_would_bring_a_toolstack(root: Root):
    """Why it is suggested and no more; where libvirt is the toolstack, the daemon is there already."""
    assert [name for name in installed(root, "python3-libvirt") if TOOLSTACKS.search(name)]
    assert "libvirt-daemon" not in installed(root, "--no-install-recommends python3-libvirt")
