"""The Machine of a real host: commands by the one runner, neighbours over ssh, guests outside our control group."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

from xenwatch.base.errors import CommandFailed, HostError
from xenwatch.host.exec.runner import Completed, Runner
from xenwatch.host.libvirt.uri import LOCAL
from xenwatch.host.privileged.reading import ask_program, local_runner, reader_socket
from xenwatch.remediation.machine.fence import accept, fenced, fenced_carrier
from xenwatch.remediation.machine.libvirt_calls import PREFIX
from xenwatch.remediation.machine.port import OUTPUT_FOLDER, Answer, Command, Order, name_of
from xenwatch.remediation.machine.privileges import confined
from xenwatch.remediation.machine.ssh import HANDSHAKE_SECONDS, SOCKETS, SshTransport
from xenwatch.remediation.policy.inventory import ManagedInventory

_PATH = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin"}
_OUTPUT = 4 * 1024 * 1024
_NOT_FOUND = 127
_ANNOUNCE_SECONDS = 30.0
_SYSTEMD = Path("/run/systemd/system")

LibvirtCall = Callable[[Sequence[str], float], Awaitable[Answer]]
"""Carries out `libvirt:<call> <uuid> …` within so many seconds."""


class LocalMachine:
    """Carries out orders in this process: in that of the effects helper, or in the agent itself for development."""

    def __init__(
        self,
        inventory: ManagedInventory,
        *,
        runner: Runner | None = None,
        libvirt: LibvirtCall | None = None,
        libvirt_uri: str = LOCAL,
        systemd: bool | None = None,
        folder: Path = Path(OUTPUT_FOLDER),
        sockets: Path = SOCKETS,
        fence: Path | None = None,
    ) -> None:
        """`fence`: the file of the tokens that arrived at this host; without one no order with a lease is taken."""
        self._runner = runner or local_runner(_PATH)
        self._libvirt, self._libvirt_uri, self._folder = libvirt, libvirt_uri, folder
        self._ssh = SshTransport(inventory, sockets)
        self._systemd = _SYSTEMD.is_dir() if systemd is None else systemd
        self._highest: dict[str, int] = {}
        self._fence = fence

    @property
    def libvirt_uri(self) -> str:
        return self._libvirt_uri

    async def read(self, command: Command) -> Answer:
        is_remote, reader = self._ssh.is_remote(command.host), reader_socket()
        extra = HANDSHAKE_SECONDS if is_remote else 0.0
        if is_remote and reader is not None:
            seconds = command.deadline + extra
            return await _answer(ask_program(reader, command.argv, seconds, host=command.host, limit=_OUTPUT))
        return await self._run(self._ssh.argv(command.argv, command.host), command.deadline + extra)

    async def effect(self, order: Order) -> Answer:
        if not self._accept_token(order):
            return Answer(1, "", f"token {order.token} for {order.target} is refused: it is lower than an earlier one")
        if order.lease and not self._ssh.is_remote(order.host):
            answer = await self._accept_lease(order.target, order.lease)
            if not answer.ok:
                return answer
        if order.argv[0].startswith(PREFIX):
            if self._libvirt is None or order.host:
                return Answer(1, "", "there is no connection to libvirt for this order")
            return await self._libvirt(order.argv, order.deadline)
        answer = await self._run(self._ssh.argv(self._argv(order), order.host), order.deadline)
        if order.save_as and answer.ok:
            return await asyncio.to_thread(self._save, order.save_as, answer.out)
        return answer

    async def connect(self, address: str, port: int, deadline: float) -> bool:
        try:
            async with asyncio.timeout(deadline):
                _, writer = await asyncio.open_connection(address, port)
        except (OSError, TimeoutError):
            return False
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return True

    def _accept_token(self, order: Order) -> bool:
        """The holder of an older lease must not act any more."""
        if order.token < self._highest.get(order.target, 0):
            return False
        self._highest[order.target] = order.token
        return True

    async def announce(self, target: str, lease: int, host: str) -> Answer:
        if not self._ssh.is_remote(host):
            return await self._accept_lease(target, lease)
        return await self._run(self._ssh.argv(fenced(("true",), target, lease), host), _ANNOUNCE_SECONDS)

    async def _accept_lease(self, target: str, lease: int) -> Answer:
        """This host receives its own orders as it receives others': a neighbour with a newer lease may have acted."""
        if self._fence is None:
            return Answer(1, "", "this machine keeps no tokens")
        try:
            current = await asyncio.to_thread(accept, self._fence, target, lease)
        except (OSError, ValueError) as error:
            return Answer(1, "", f"the tokens of this host cannot be read or kept: {error}")
        refused = f"the lease's token {lease} for {target} is refused: a newer one was here"
        return Answer(0) if current else Answer(1, "", refused)

    def _argv(self, order: Order) -> tuple[str, ...]:
        """Another host is reached over ssh, and what ssh starts there has none of the limits of our unit."""
        if order.lease and self._ssh.is_remote(order.host):
            order = replace(order, argv=fenced(order.argv, order.target, order.lease), lease=0)
        elif order.lease and order.carrier:
            ssh = fenced_carrier(order.argv[order.carrier], order.target, order.lease)
            order = replace(order, argv=(*order.argv[: order.carrier], ssh, *order.argv[order.carrier + 1 :]))
        if order.detached:
            return self._detached(order)
        if order.privileges is None or not self._systemd or self._ssh.is_remote(order.host):
            return order.argv
        return confined(order.argv, order.privileges, order.run, order.deadline)

    def _detached(self, order: Order) -> tuple[str, ...]:
        """Started by systemd itself, so that the agent's limits and its end do not affect what the order starts."""
        if not self._systemd:
            return ("setsid", "--wait", "--", *order.argv)
        unit = f"--unit=xenwatch-{name_of(order.run, 'a run')}"
        options = (
            "--quiet",
            "--wait",
            "--collect",
            "--pipe",
            "--slice=xen-guests.slice",
            "--property=KillMode=process",
        )
        return ("systemd-run", *options, unit, "--", *order.argv)

    def _save(self, name: str, text: str) -> Answer:
        path = self._folder / name
        try:
            path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        except OSError as error:
            return Answer(1, "", f"{path}: {error.strerror}")
        return Answer(0)

    async def _run(self, argv: tuple[str, ...], deadline: float) -> Answer:
        return await _answer(self._runner.run(argv, deadline, limit=_OUTPUT))


async def _answer(running: Awaitable[Completed]) -> Answer:
    try:
        result = await running
    except CommandFailed as error:
        missing = "No such file" in error.stderr
        return Answer(_NOT_FOUND if missing else None, "", str(error))
    except HostError as error:
        return Answer(None, "", str(error))
    return Answer(result.returncode, result.text, result.stderr.decode("utf-8", "replace"))
