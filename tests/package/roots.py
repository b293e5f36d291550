"""Clean Debian roots to install packages in: made once with mmdebstrap, unpacked anew for each test."""

import os
import shutil
import subprocess
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
CACHE = CHECKOUT / ".cache/roots"
NEEDS = "python3,python3-libvirt"
BOOTS = f"{NEEDS},systemd-sysv,dbus,procps,openssh-server"
"""What a root needs to be booted, and to be another host that is reached through ssh."""
ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
    "HOME": "/root",
}


def why_not() -> str | None:
    """What keeps this machine from making roots; None where nothing does."""
    if os.geteuid() != 0:
        return "needs root for chroot"
    return next((f"needs {tool}" for tool in ("mmdebstrap", "unshare", "dpkg-deb") if shutil.which(tool) is None), None)


def archive(release: str, packages: str = NEEDS) -> Path:
    """A minimal root of that release with these packages, as tar."""
    path = CACHE / f"{release}-{zlib.crc32(packages.encode()):08x}.tar"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part.tar")
        argv = ["mmdebstrap", "-q", "--variant=minbase", f"--include={packages}", release, str(part)]
        subprocess.run(argv, check=True, timeout=1200)
        part.rename(path)
    return path


class Root:
    """One unpacked root."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, script: str, *, ok: tuple[int, ...] = (0,), timeout: float = 300) -> str:
        """Runs a shell script in the root, in process and mount namespaces of its own; what it printed."""
        outside = f'mount -t proc proc "{self.folder}/proc" && exec chroot "{self.folder}" /bin/sh -ec "$0"'
        ended = subprocess.run(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "/bin/sh", "-ec", outside, script],
            capture_output=True, text=True, timeout=timeout, check=False,
            env=ENVIRONMENT,
        )  # fmt: skip
        assert ended.returncode in ok, f"{script}: {ended.returncode}\n{ended.stdout}\n{ended.stderr}"
        return ended.stdout

    def files(self) -> set[str]:
        """Everything in the root but what dpkg and ldconfig keep about themselves."""
        passed_over = (
            "var/lib/dpkg", "var/cache/ldconfig", "var/cache/debconf", "var/log", "tmp", "proc", "sys", "dev", "run",
        )  # fmt: skip
        found = set()
        for where, folders, names in os.walk(self.folder):
            here = os.path.relpath(where, self.folder)
            folders[:] = [f for f in folders if os.path.normpath(f"{here}/{f}") not in passed_over]
            found |= {os.path.normpath(f"{here}/{name}") for name in (*names, *folders)}
        # what useradd and userdel keep of the lists as they were
        return found - {f"etc/{name}" for name in ("passwd-", "group-", "shadow-", "gshadow-", ".pwd.lock")}


@contextmanager
def unpacked(release: str, folder: Path, packages: str = NEEDS) -> Iterator[Root]:
    """A root below `folder`, removed afterwards."""
    root = folder / release
    root.mkdir()
    subprocess.run(
        ["tar", "-xf", str(archive(release, packages)), "-C", str(root), "--numeric-owner"], check=True, timeout=300
    )
    try:
        yield Root(root)
    finally:
        shutil.rmtree(root, ignore_errors=True)
