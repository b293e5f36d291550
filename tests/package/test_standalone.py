"""The tree for an old dom0: none of its libraries asks for more than glibc 2.17, and it runs where no Python is."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from package.roots import CHECKOUT, unpacked, why_not

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3000),
    pytest.mark.skipif(why_not() is not None, reason=why_not() or ""),
]
OLDEST = (2, 17)
"""glibc of XCP-ng 8.3 and CentOS 7."""
INTERPRETER = CHECKOUT / ".cache/interpreter"
"""An unpacked python-build-standalone, or what packaging/tree/interpreter.sh built; nothing puts it here by itself."""
LOG = "libxl: error: libxl_device.c:1351:device_hotplug_child_death_cb: script: Could not find bridge device xenbr7\n"
needs_interpreter = pytest.mark.skipif(not INTERPRETER.is_dir(), reason="there is no interpreter in .cache/interpreter")


def asked_of_glibc(library: Path) -> tuple[int, int]:
    """The newest version of glibc among the symbols that a library needs."""
    said = subprocess.run(["objdump", "-T", str(library)], capture_output=True, text=True, check=False).stdout
    versions = [(int(a), int(b)) for a, b in re.findall(r"\bGLIBC_(\d+)\.(\d+)", said)]
    return max(versions, default=(0, 0))


def test_every_library_runs_on_glibc_2_17(tmp_path: Path):
    script = (
        "import sys; from pathlib import Path; sys.path[:0] = ['packaging']; from tree import build, standalone;"
        "target = build.Target((3, 11), platform='x86_64-manylinux2014', instead=standalone.OLD);"
        "out = Path(sys.argv[1]); build.libraries(target, out / 'lib', out)"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True, cwd=CHECKOUT, timeout=1500)
    libraries = [path for path in (tmp_path / "lib").rglob("*.so*") if path.is_file()]
    assert len(libraries) > 10
    assert not {path.name: asked_of_glibc(path) for path in libraries if asked_of_glibc(path) > OLDEST}


@needs_interpreter
def test_the_tree_runs_in_a_root_without_python_and_touches_nothing_outside(tmp_path: Path):
    argv = [sys.executable, str(CHECKOUT / "packaging/tree/standalone.py"), "--interpreter", str(INTERPRETER)]
    subprocess.run([*argv, "--out", str(tmp_path)], check=True, cwd=CHECKOUT, timeout=1500)
    (archive,) = tmp_path.glob("xenwatch-*-tree-*.tar.xz")
    with unpacked("bullseye", tmp_path, "ca-certificates") as root:
        (root.folder / "tmp/xl-web.log").write_text(LOG)
        before = root.files()
        subprocess.run(["tar", "-xf", str(archive), "-C", str(root.folder / "opt"), "--no-same-owner"], check=True)
        assert root.run("/opt/xenwatch/bin/xenwatch --version").startswith("xenwatch, version ")
        assert "vif-bridge-missing" in root.run("/opt/xenwatch/bin/xenwatch diagnose /tmp/xl-web.log", ok=(1,))
        assert {path.split("/")[0] for path in root.files() - before} <= {"opt", "root", "var"}
