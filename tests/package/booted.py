"""A clean Debian root booted with its own systemd by systemd-nspawn: as a machine, without the cost of one.

It gets a cgroup v2 tree of its own whatever this machine has mounted, and a network that ends at
its loopback, or this machine's.
"""

import itertools
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from package import roots

BOOT_SECONDS = 60
_NUMBERS = itertools.count(1)
# systemd of today refuses cgroup v1; the tree is mounted anew where only this machine's boot sees it
_BOOT = """
umount -R /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup
mkdir -p "/sys/fs/cgroup/$1" && echo $$ > "/sys/fs/cgroup/$1/cgroup.procs"
name=$1; shift
exec systemd-nspawn --boot --directory="$0" --machine="$name" --register=no --keep-unit \
  --settings=no --console=pipe --link-journal=no --timezone=off --kill-signal=SIGRTMIN+3 "$@"
"""
_CLEAR = """
umount -R /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup
find "/sys/fs/cgroup/$0" -depth -type d -exec rmdir {} +
"""


def why_not() -> str | None:
    """What keeps this machine from booting roots; None where nothing does."""
    missing = next((f"needs {tool}" for tool in ("systemd-nspawn", "nsenter") if shutil.which(tool) is None), None)
    return roots.why_not() or missing


ALONE = ("--private-network", "--resolv-conf=off")
CONNECTED = ("--resolv-conf=replace-host",)


class Booted(roots.Root):
    """A root whose systemd runs; `run` speaks to it from inside."""

    def __init__(self, folder: Path, options: Sequence[str] = ALONE) -> None:
        """`options`: of systemd-nspawn; ALONE, or CONNECTED, which shares the addresses and ports of this machine."""
        super().__init__(folder)
        self._name = f"xenwatch-{os.getpid()}-{next(_NUMBERS)}"
        self._nspawn = subprocess.Popen(
            ["unshare", "--mount", "/bin/sh", "-ec", _BOOT, str(folder), self._name, *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._wait_until_up()

    def run(self, script: str, *, ok: tuple[int, ...] = (0,), timeout: float = 300) -> str:
        """Runs a shell script in the booted machine, as root; what it printed."""
        argv = [
            "nsenter",
            f"--target={self._leader()}",
            "--mount",
            "--uts",
            "--ipc",
            "--net",
            "--pid",
            "/bin/sh",
            "-ec",
        ]
        ended = subprocess.run(
            [*argv, script], capture_output=True, text=True, timeout=timeout, check=False, env=roots.ENVIRONMENT
        )
        assert ended.returncode in ok, f"{script}: {ended.returncode}\n{ended.stdout}\n{ended.stderr}"
        return ended.stdout

    def until(self, script: str, seconds: float) -> float:
        """Seconds until the script ends well."""
        began = time.monotonic()
        while True:
            try:
                self.run(script)
            except AssertionError:
                if time.monotonic() - began > seconds:
                    raise
                time.sleep(0.5)
            else:
                return time.monotonic() - began

    def power_off(self) -> None:
        """In order, and by force where that takes too long."""
        self._nspawn.send_signal(signal.SIGTERM)
        try:
            self._nspawn.wait(30)
        except subprocess.TimeoutExpired:
            os.kill(self._leader(), signal.SIGKILL)
            self._nspawn.wait(30)
        subprocess.run(["unshare", "--mount", "/bin/sh", "-ec", _CLEAR, self._name], check=False, timeout=30)

    def _leader(self) -> int:
        """The pid, here, of the machine's systemd: the one child of systemd-nspawn."""
        pid = self._nspawn.pid
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])

    def _wait_until_up(self) -> None:
        end = time.monotonic() + BOOT_SECONDS
        while time.monotonic() < end:
            try:
                self.run("systemctl is-system-running --wait")
            except (AssertionError, IndexError, OSError):
                time.sleep(0.3)
            else:
                return
        self.power_off()
        raise RuntimeError(f"systemd was not up after {BOOT_SECONDS} s")


@contextmanager
def booted(release: str, folder: Path) -> Iterator[Booted]:
    """A machine below `folder`, powered off and removed afterwards."""
    with roots.unpacked(release, folder, roots.BOOTS) as root:
        machine = Booted(root.folder)
        try:
            yield machine
        finally:
            machine.power_off()
