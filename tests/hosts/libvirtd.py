"""A libvirtd of a test's own, on a socket in a folder of its own; its guests are those of libvirt's test driver."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NOBODY = 65534


class Daemon:
    """It runs as nobody where the test is root: root's would start the drivers of the machine's hypervisors."""

    def __init__(self, folder: Path) -> None:
        self.uri = f"test+unix:///default?socket={folder}/libvirt-sock"
        self._folder = folder
        self._config = folder / "libvirtd.conf"
        self._config.write_text(f'unix_sock_dir = "{folder}"\nauth_unix_rw = "none"\nauth_unix_ro = "none"\n')
        self._user = NOBODY if os.geteuid() == 0 else None
        if self._user is not None:
            os.chown(folder, self._user, self._user)
        self.start()

    def start(self) -> None:
        folders = ("HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME")
        self._process = subprocess.Popen(
            ("libvirtd", "-f", str(self._config), "-p", str(self._folder / "pid")),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
            env={**os.environ, **dict.fromkeys(folders, str(self._folder))},
            user=self._user,
            group=self._user,
            extra_groups=None if self._user is None else [],
        )

    def signal(self, number: int) -> None:
        self._process.send_signal(number)
        if number == signal.SIGKILL:
            self._process.wait()


@contextmanager
def daemon_of_our_own() -> Iterator[Daemon]:
    """Skips the test where there is no libvirtd. Killed at the end, also when it was stopped."""
    if shutil.which("libvirtd", path="/usr/sbin:/usr/bin:/sbin:/bin") is None:
        pytest.skip("needs libvirtd (Debian: libvirt-daemon; `packaging/setup.sh test` installs it)")
    # A socket's path is at most 107 bytes: pytest's folders are too deep.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        daemon = Daemon(Path(folder))
        try:
            yield daemon
        finally:
            daemon.signal(signal.SIGCONT)
            daemon.signal(signal.SIGKILL)
