"""Puts the wheel of this checkout and its dependencies into dom0, as an administrator would: one folder, one service.

dom0 reaches no registry, so the dependencies are fetched here for its Python; libvirt's binding is Debian's own there.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from image import Suite
from machine import Machine

ROOT = Path(__file__).parents[2]
WHERE = "/opt/xenwatch"

WRAPPER = f"""#!/bin/sh
PYTHONPATH={WHERE}/lib exec python3 -m xenwatch.cli.main "$@"
"""

UNIT = """[Unit]
Description=xenwatch, the on-call engineer of this Xen host
After=network.target
[Service]
Type=notify
ExecStart=/usr/local/bin/xenwatch agent
StateDirectory=xenwatch
Restart=on-failure
[Install]
WantedBy=multi-user.target
"""


def payload(suite: Suite, work: Path) -> Path:
    """A folder with xenwatch and its dependencies for that suite's Python."""
    tree = work / f"payload-{suite.name}"
    shutil.rmtree(tree, ignore_errors=True)
    (tree / "lib").mkdir(parents=True)
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "build", "-q", "--wheel", "--out-dir", str(tree / "dist")], cwd=ROOT, check=True)
    wanted = tree / "requirements.txt"
    text = subprocess.run(
        [*uv, "pip", "compile", "-q", "pyproject.toml", "--python-version", suite.python, "--no-annotate", "--no-header"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    wanted.write_text("\n".join(line for line in text.splitlines() if not line.startswith("libvirt-python")))
    subprocess.run(
        [*uv, "pip", "install", "-q", "--target", str(tree / "lib"), "--python-version", suite.python,
         "--python-platform", "x86_64-manylinux_2_28", "--only-binary", ":all:", "--no-binary", "pyinotify",
         "--no-deps", "-r", str(wanted), *map(str, (tree / "dist").glob("*.whl"))],
        cwd=work, check=True,
    )  # fmt: skip
    return tree


def install(machine: Machine, work: Path) -> None:
    """Install, start, and wait until the agent says it is ready."""
    machine.put(payload(machine.image.suite, work), WHERE)
    machine.run("cat > /usr/local/bin/xenwatch && chmod +x /usr/local/bin/xenwatch", stdin=WRAPPER.encode())
    machine.run("cat > /etc/systemd/system/xenwatch.service", stdin=UNIT.encode())
    machine.run("systemctl daemon-reload && systemctl start xenwatch", timeout=120)
