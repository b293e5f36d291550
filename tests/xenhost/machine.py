"""Boots an image under QEMU's software emulation, speaks to its dom0 over ssh, saves and restores its whole state."""

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from image import Image

# `-cpu max` crashes a PV dom0 (SMAP); these features are what Debian's userland and Xen ask for
CPU = "qemu64,+svm,+npt,+ssse3,+sse4.1,+sse4.2,+popcnt"
NO_HVM = CPU.replace("+svm,+npt", "-svm")
XEN_ARGS = (
    "console=com1 com1=115200,8n1 console_timestamps=boot loglvl=all guest_loglvl=all dom0_mem=1024M,max:1024M"
    " dom0_max_vcpus=2 bootscrub=0 xpti=0 spec-ctrl=no smt=on noreboot"
)
LINUX_ARGS = "console=hvc0 root=/dev/vda net.ifnames=0 mitigations=off audit=0 quiet loglevel=4"


@dataclass(frozen=True)
class Done:
    """What a command in dom0 answered."""

    returncode: int
    stdout: str
    stderr: str


class Machine:
    """One running host. Its disks are overlays in `folder`, so the image itself is never changed."""

    def __init__(self, image: Image, folder: Path, cpu: str = CPU, peer: Path | None = None) -> None:
        """`peer`: the folder of another machine, at the other end of a cable of their own (eth1)."""
        self.image, self.folder, self.cpu = image, folder, cpu
        self._number = 2 if peer else 1
        self._peer = peer or folder.with_name(f"{folder.name}-peer")
        self.serial = folder / "serial.log"
        self._port = 0
        self._qemu: subprocess.Popen[bytes] | None = None

    def start(self, snapshot: str | None = None) -> None:
        """Power on, from scratch or from a saved state."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self.folder / "root.qcow2").exists():
            self._overlays()
        self._port = _free_port()
        for left in ("monitor", "cable"):
            (self.folder / left).unlink(missing_ok=True)
        with (self.folder / "qemu.out").open("wb") as out:
            self._qemu = subprocess.Popen(
                self._argv(snapshot), stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True
            )
        with contextlib.suppress(OSError):  # a session has a niceness of its own; everything here waits for this one
            Path(f"/proc/{self._qemu.pid}/autogroup").write_text("-10")

    def wait_ready(self, seconds: float = 600) -> float:
        """Seconds until `xl list` answers over ssh; the clock of dom0 is then set, for a restored one stands still."""
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            if self._qemu is None or self._qemu.poll() is not None:
                raise RuntimeError(f"QEMU is gone: {(self.folder / 'qemu.out').read_text()[-500:]}")
            if self.run("xl list", timeout=60, check=False).returncode == 0:
                self.run(f"date -s @{time.time():.0f}")
                return time.monotonic() - began
            time.sleep(0.5)
        raise RuntimeError(f"no Xen after {seconds:.0f} s; serial: {self.serial.read_text(errors='replace')[-800:]}")

    def run(self, command: str, *, timeout: float = 60, check: bool = True, stdin: bytes = b"") -> Done:
        """Run a shell command in dom0. `timeout` ends it there as well."""
        argv = [*self._ssh(), f"timeout -k 2 {timeout:.0f} sh -c {shlex.quote(command)}"]
        try:
            done = subprocess.run(argv, input=stdin, capture_output=True, timeout=timeout + 15, check=False)
        except subprocess.TimeoutExpired as late:
            out, err = late.stdout or b"", late.stderr or b""
            return Done(124, out.decode(errors="replace"), err.decode(errors="replace"))
        answer = Done(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))
        if check and answer.returncode:
            raise RuntimeError(f"{command}: exit {answer.returncode}: {answer.stdout[-500:]}{answer.stderr[-500:]}")
        return answer

    def put(self, tree: Path, where: str) -> None:
        """Copy a folder's content into `where` in dom0."""
        tar = subprocess.run(["tar", "-C", tree, "-czf", "-", "."], stdout=subprocess.PIPE, check=True)
        self.run(f"mkdir -p {where} && tar -C {where} -xzf - --no-same-owner", timeout=180, stdin=tar.stdout)

    def get(self, where: str, tree: Path, *, without: str = "lost+found") -> None:
        """Copy a folder of dom0 into `tree`; files that change meanwhile are taken as they are."""
        tree.mkdir(parents=True, exist_ok=True)
        pulled = subprocess.run(
            [*self._ssh(), f"tar -C {where} --exclude={without} -czf - --warning=no-file-changed . || true"],
            capture_output=True,
            timeout=180,
            check=True,
        )
        subprocess.run(["tar", "-C", tree, "-xzf", "-", "--no-same-owner"], input=pulled.stdout, check=True)

    def save(self, name: str) -> None:
        """Keep the whole state of the machine, memory included (under a second)."""
        self._monitor(f"savevm {name}")

    def restore(self, name: str) -> None:
        """Go back to a saved state, in a new QEMU: restored within a running one the clocks jump and dom0 may hang."""
        self._quit()
        self.start(name)

    def stop(self) -> None:
        """Power off and leave nothing running."""
        if self._qemu is not None and self._qemu.poll() is None:
            os.killpg(self._qemu.pid, signal.SIGKILL)
            self._qemu.wait(20)
        self._qemu = None

    def _quit(self) -> None:
        """Close the disks in order, for the saved states are in them."""
        if self._qemu is None:
            return
        with contextlib.suppress(OSError, RuntimeError, subprocess.TimeoutExpired):
            self._monitor("quit")
            self._qemu.wait(30)
        self.stop()

    def _overlays(self) -> None:
        for args in (["-b", str(self.image.disk), "-F", "qcow2", "root.qcow2"], ["data.qcow2", "2G"]):
            subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *args], cwd=self.folder, check=True)

    def _argv(self, snapshot: str | None) -> list[str]:
        far_end = f"remote.type=unix,remote.path={self._peer}/cable"
        kernel = f"{self.image.folder}/vmlinux {LINUX_ARGS},{self.image.folder}/initrd-dom0.cpio"
        drives = [
            word
            for number, name in enumerate(("root", "data"))
            for word in (
                "-drive", f"file={self.folder}/{name}.qcow2,if=none,id=d{number},cache=unsafe,aio=threads",
                "-device", f"virtio-blk-pci,drive=d{number}",
            )
        ]  # fmt: skip
        return [
            "qemu-system-x86_64", "-name", f"xenhost-{self.folder.name}", "-machine", "pc",
            "-accel", "tcg,thread=multi,tb-size=1024", "-cpu", self.cpu, "-m", "4096", "-smp", "2",
            "-display", "none", "-no-reboot", "-kernel", f"{self.image.folder}/xen", "-append", XEN_ARGS,
            "-initrd", kernel, *drives,
            # restrict=on: dom0 reaches nothing; only ssh on the loopback reaches it
            "-netdev", f"user,id=n0,restrict=on,hostfwd=tcp:127.0.0.1:{self._port}-:22",
            "-device", "virtio-net-pci,netdev=n0,romfile=",
            "-netdev", f"dgram,id=n1,local.type=unix,local.path={self.folder}/cable,{far_end}",
            "-device", f"virtio-net-pci,netdev=n1,romfile=,mac=52:54:00:78:00:{self._number:02}",
            "-serial", f"file:{self.serial}",
            "-monitor", f"unix:{self.folder}/monitor,server=on,wait=off",
            *(["-loadvm", snapshot] if snapshot else []),
        ]  # fmt: skip

    def _ssh(self) -> list[str]:
        return [
            "ssh", "-q", "-p", str(self._port), "-i", str(self.image.key), "-o", "StrictHostKeyChecking=no",
            "-o", "UserKnownHostsFile=/dev/null", "-o", "ConnectTimeout=60", "-o", "ServerAliveInterval=20",
            # a log-in costs dom0 seconds under emulation: all commands share one
            "-o", "ControlMaster=auto", "-o", f"ControlPath={self.folder}/ssh-{self._port}", "-o", "ControlPersist=yes",
            "root@127.0.0.1",
        ]  # fmt: skip

    def _monitor(self, command: str) -> None:
        with socket.socket(socket.AF_UNIX) as monitor:
            monitor.settimeout(60)
            monitor.connect(str(self.folder / "monitor"))
            answer = b""
            while not answer.endswith(b"(qemu) "):
                answer += monitor.recv(4096)
            monitor.sendall(command.encode() + b"\n")
            answer = b""
            while not answer.endswith(b"(qemu) ") and (piece := monitor.recv(65536)):
                answer += piece
        if b"Error" in answer or b"rror:" in answer:
            raise RuntimeError(f"QEMU said to {command!r}: {answer.decode(errors='replace')}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
