"""A real etcd of three members on loopback, and what tests of the fleet do with it."""

import asyncio
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from xenwatch.fleet.etcd import EtcdAccess, EtcdClient

sys.path.insert(0, str(Path(__file__).parents[2] / "scenarios"))  # the simulated hosts of the stories


class EtcdCluster:
    """Its members can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports = [(_free_port(), _free_port()) for _ in range(3)]
        self._running: dict[int, subprocess.Popen[bytes]] = {}

    @property
    def endpoints(self) -> tuple[str, ...]:
        return tuple(f"http://127.0.0.1:{client}" for client, _ in self._ports)

    def start(self, *numbers: int) -> None:
        peers = ",".join(f"m{n}=http://127.0.0.1:{peer}" for n, (_, peer) in enumerate(self._ports))
        for number in numbers or range(3):
            client, peer = (f"http://127.0.0.1:{port}" for port in self._ports[number])
            argv = ["etcd", "--name", f"m{number}", "--data-dir", str(self._folder / f"m{number}"), "--unsafe-no-fsync"]
            argv += ["--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peer]
            argv += ["--initial-advertise-peer-urls", peer, "--initial-cluster", peers, "--log-level", "error"]
            plain = [word for word in argv if word != "--unsafe-no-fsync" or _knows_no_fsync()]
            with (self._folder / f"m{number}.log").open("ab") as log:
                self._running[number] = subprocess.Popen(plain, stdout=log, stderr=log)

    def kill(self, *numbers: int) -> None:
        for number in numbers or tuple(self._running):
            process = self._running.pop(number)
            process.kill()
            process.wait()

    def stop(self, number: int) -> None:
        """It hangs: its connections stay open, and nothing comes out of them."""
        self._running[number].send_signal(19)

    def go_on(self, number: int) -> None:
        self._running[number].send_signal(18)

    def erase(self) -> None:
        """Kill all and lose what they kept."""
        self.kill()
        for number in range(3):
            shutil.rmtree(self._folder / f"m{number}", ignore_errors=True)

    def wait(self, seconds: float = 60.0) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                with urlopen(f"{self.endpoints[0]}/health", timeout=2) as answer:
                    if b'"true"' in answer.read():
                        return
            except OSError:
                pass
            time.sleep(0.1)
        raise TimeoutError("etcd does not start")

    def connect(self) -> EtcdClient:
        return EtcdClient(EtcdAccess(self.endpoints))


def _knows_no_fsync() -> bool:
    helped = subprocess.run(["etcd", "--help"], capture_output=True, check=False)
    return b"--unsafe-no-fsync" in helped.stdout + helped.stderr


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def etcd(tmp_path: Path) -> Iterator[EtcdCluster]:
    if shutil.which("etcd") is None:
        pytest.skip("Debian's etcd-server is not installed; packaging/setup.sh test installs it")
    cluster = EtcdCluster(tmp_path)
    try:
        cluster.start()
        cluster.wait()
        yield cluster
    finally:
        cluster.kill()


@pytest.fixture
def until() -> Callable[..., object]:
    async def until(holds: Callable[[], object], seconds: float = 60.0) -> None:
        """Waits until it holds; so long only where the machine is busy."""
        end = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > end:
                raise TimeoutError("it does not come to hold")
            await asyncio.sleep(0.05)

    return until
