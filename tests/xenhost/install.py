"""Puts the wheel of this checkout and its dependencies into dom0, as an administrator would: one folder, one service.

dom0 reaches no registry, so the dependencies are fetched here for its Python; libvirt's binding is Debian's own there.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from image import CACHE, Suite
from machine import Machine

ROOT = Path(__file__).parents[2]
WHERE = "/opt/xenwatch"

SIGNATURES = "/var/cache/xenwatch"
# a guest that comes and goes makes the logs whose dialects have to be compiled
WARM = """
printf 'vif = ["bridge=xenbr0"]\\ndisk = ["phy:/dev/dsk/g1,xvda,w"]\\n' | /opt/xenhost/guest.sh warm grub
xl create /etc/xen/warm.cfg; sleep 5; xl destroy warm; sleep 2; rm -f /etc/xen/warm.cfg /var/log/xen/*warm.log
"""
# clock ticks used by the threads beside the main one, among them the one that compiles, within 8 seconds
BUSY = """
used() { pid=$(systemctl show -P MainPID xenwatch)
  for task in /proc/$pid/task/*; do [ "${task##*/}" = "$pid" ] || cat "$task/stat" 2>/dev/null; done |
  awk '{ ticks += $14 + $15 } END { print ticks + 0 }'; }
before=$(used); sleep 8; echo $(( ($(used) - before) / 8 ))
"""
AT_REST = 30
"""Percent of an emulated cpu; what samples and follows, in the main thread, is never quite at rest there."""

VERSIONS = {"old": "0.1.0", "new": "0.1.1"}
"""The Debian packages of this checkout that are tried: one to install, one to upgrade to."""

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
TimeoutStartSec=20min
[Install]
WantedBy=multi-user.target
"""

# how guests are started that xl's own words about a failure shall be on record: a unit, so that they reach the journal
GUEST_UNIT = """[Unit]
Description=Xen guest %i
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/xl create /etc/xen/%i.cfg
TimeoutStartSec=150
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
        [*uv, "pip", "compile", "-q", "pyproject.toml", "--python-version", suite.python,
         "--no-annotate", "--no-header"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    wanted.write_text("\n".join(line for line in text.splitlines() if not line.startswith("libvirt-python")))
    subprocess.run(
        [*uv, "pip", "install", "-q", "--target", str(tree / "lib"), "--python-version", suite.python,
         "--python-platform", "x86_64-manylinux_2_28", "--only-binary", ":all:", "--no-binary", "pyinotify",
         "--no-deps", "-r", str(wanted), *map(str, (tree / "dist").glob("*.whl"))],
        cwd=work, check=True,
    )  # fmt: skip
    bundled = tree / "lib/xenwatch/_bundled"
    prepare = [sys.executable, str(ROOT / "packaging/prepare.py"), str(bundled / "rules"), str(bundled / "prepared")]
    subprocess.run(prepare, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    return tree


def install(machine: Machine, work: Path) -> None:
    """Install, start, and wait until the agent has met every kind of log and is at rest."""
    machine.put(payload(machine.image.suite, work), WHERE)
    machine.run("cat > /usr/local/bin/xenwatch && chmod +x /usr/local/bin/xenwatch", stdin=WRAPPER.encode())
    machine.run("cat > /etc/systemd/system/xenwatch.service", stdin=UNIT.encode())
    machine.run("cat > /etc/systemd/system/guest@.service", stdin=GUEST_UNIT.encode())
    kept = CACHE / f"signatures-{machine.image.suite.name}"
    if kept.is_dir():
        machine.put(kept, SIGNATURES)
        machine.run(f"chmod 700 {SIGNATURES}")
    machine.run("systemctl daemon-reload && systemctl start xenwatch", timeout=1200)
    warm_up(machine)
    shutil.rmtree(kept, ignore_errors=True)
    machine.get(SIGNATURES, kept)


def package(suite: Suite, folder: Path, version: str) -> Path:
    """This checkout as a Debian package for that suite, called that version."""
    argv = [sys.executable, str(ROOT / "packaging/deb/build.py"), suite.name, "--out", str(folder)]
    subprocess.run([*argv, "--version", version], check=True, timeout=1500, cwd=ROOT)
    return next(folder.glob("xenwatch_*_amd64.deb"))


def warm_up(machine: Machine) -> None:
    """Let the running agent meet every kind of log, and wait until it is at rest."""
    wait_for_rest(machine)
    machine.run(WARM, timeout=120)
    wait_for_rest(machine)


def wait_for_rest(machine: Machine, seconds: float = 1800) -> None:
    """Signatures are compiled once a format, which takes long under emulation and would slow the stories down."""
    until, calm = time.monotonic() + seconds, 0
    while calm < 2:
        if time.monotonic() > until:
            raise RuntimeError(f"the agent was still busy {seconds:.0f} s after its start")
        used = machine.run(BUSY, check=False).stdout.strip()  # empty: too busy to say
        calm = calm + 1 if used and float(used) < AT_REST else 0
