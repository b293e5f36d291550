"""A real etcd of three members on loopback, which tests and benchmarks start, kill, stop and fill."""

import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from monitoring.certificates import Authority

from xenwatch.fleet.etcd import EtcdAccess, EtcdClient


class EtcdCluster:
    """Its members can be killed and started again."""

    def __init__(self, folder: Path, *words: str, authority: Authority | None = None) -> None:
        """`words`: more settings of each member. With an authority all talk TLS, and clients need a certificate."""
        self._folder, self._authority = folder, authority
        self._words = [*words, *(_tls_words(authority) if authority else ())]
        self._ports = [(_free_port(), _free_port()) for _ in range(3)]
        self._running: dict[int, subprocess.Popen[bytes]] = {}

    @property
    def endpoints(self) -> tuple[str, ...]:
        return tuple(f"{self._scheme}://127.0.0.1:{client}" for client, _ in self._ports)

    @property
    def _scheme(self) -> str:
        return "http" if self._authority is None else "https"

    def start(self, *numbers: int) -> None:
        peers = ",".join(f"m{n}={self._scheme}://127.0.0.1:{peer}" for n, (_, peer) in enumerate(self._ports))
        for number in numbers or range(3):
            client, peer = (f"{self._scheme}://127.0.0.1:{port}" for port in self._ports[number])
            argv = ["etcd", "--name", f"m{number}", "--data-dir", str(self._folder / f"m{number}"), "--unsafe-no-fsync"]
            argv += ["--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peer]
            argv += ["--initial-advertise-peer-urls", peer, "--initial-cluster", peers, "--log-level", "error"]
            argv += self._words
            plain = [word for word in argv if word != "--unsafe-no-fsync" or _knows_no_fsync()]
            with (self._folder / f"m{number}.log").open("ab") as log:
                self._running[number] = subprocess.Popen(plain, stdout=log, stderr=log)

    @contextmanager
    def running(self) -> Iterator["EtcdCluster"]:
        """All members, until the block ends."""
        try:
            self.start()
            self.wait()
            yield self
        finally:
            self.kill()

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
        context = None if self._authority is None else client_context(self._authority)
        while time.monotonic() < until:
            try:
                with urlopen(f"{self.endpoints[0]}/health", timeout=2, context=context) as answer:
                    if b'"true"' in answer.read():
                        return
            except OSError:
                pass
            time.sleep(0.1)
        raise TimeoutError("etcd does not start")

    def connect(self) -> EtcdClient:
        return EtcdClient(EtcdAccess(self.endpoints))

    def control(self, *words: str) -> None:
        """As its administrator does it: with etcdctl."""
        argv = ["etcdctl", "--endpoints", ",".join(self.endpoints), *words]
        if self._authority is not None:
            certificate, key = self._authority.sign("administrator")
            argv += ["--cacert", str(self._authority.certificate), "--cert", str(certificate), "--key", str(key)]
        subprocess.run(argv, check=True, capture_output=True, env={"ETCDCTL_API": "3", "PATH": "/usr/bin:/bin"})


def client_context(authority: Authority) -> ssl.SSLContext:
    """Of one who may ask at all."""
    context = ssl.create_default_context(cafile=authority.certificate)
    context.load_cert_chain(*authority.sign("somebody"))
    return context


def _tls_words(authority: Authority) -> list[str]:
    """One certificate for both sides, as in etcd's manual: the members' gateways are clients of their own member."""
    certificate, key = map(str, authority.sign("etcd"))
    words = []
    for side in ("--", "--peer-"):
        words += [f"{side}cert-file={certificate}", f"{side}key-file={key}"]
        words += [f"{side}trusted-ca-file={authority.certificate}", f"{side}client-cert-auth"]
    return words


def _knows_no_fsync() -> bool:
    helped = subprocess.run(["etcd", "--help"], capture_output=True, check=False)
    return b"--unsafe-no-fsync" in helped.stdout + helped.stderr


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
