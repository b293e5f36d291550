"""The container, built by Debian's buildah on a root of Debian instead of a downloaded image: it diagnoses a bundle."""

import shutil
import subprocess
from pathlib import Path

import pytest
from package import roots

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("release", ["bookworm"], scope="session"),  # one release shows it
    pytest.mark.timeout(3000),
    pytest.mark.skipif(roots.why_not() is not None, reason=roots.why_not() or ""),
    pytest.mark.skipif(shutil.which("buildah") is None, reason="needs buildah"),
]
LOG = "libxl: error: libxl_device.c:1351:device_hotplug_child_death_cb: script: Could not find bridge device xenbr7\n"
BASE, IMAGE = "localhost/xenwatch-test-base", "localhost/xenwatch-test"


def buildah(folder: Path, *words: str) -> str:
    """With storage of its own, and without what a container of this machine's own may not do."""
    options = ["--root", str(folder / "storage"), "--runroot", str(folder / "run"), "--storage-driver", "vfs"]
    done = subprocess.run(["buildah", *options, *words], capture_output=True, text=True, timeout=1500, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_image_is_built_and_reads_a_log(release: str, package: Path, tmp_path: Path):
    context = tmp_path / "context"
    (context / "dist").mkdir(parents=True)
    shutil.copy(package, context / "dist")
    work = buildah(tmp_path, "from", "scratch")
    buildah(tmp_path, "add", work, str(roots.archive("bookworm", "python3,ca-certificates,lvm2,iproute2")), "/")
    buildah(tmp_path, "commit", work, BASE)
    recipe = roots.CHECKOUT / "packaging/container/Containerfile"
    chroot = ["--isolation", "chroot", "--network", "host"]
    buildah(tmp_path, "build", *chroot, "--build-arg", f"BASE={BASE}", "-t", IMAGE, "-f", str(recipe), str(context))
    made = buildah(tmp_path, "from", IMAGE)
    (tmp_path / "xl-web.log").write_text(LOG)
    buildah(tmp_path, "copy", made, str(tmp_path / "xl-web.log"), "/tmp/xl-web.log")
    told = buildah(
        tmp_path, "run", *chroot[:2], made, "--", "sh", "-c", "id -un; xenwatch diagnose /tmp/xl-web.log || true"
    )
    assert told.startswith("xenwatch")
    assert "vif-bridge-missing" in told
