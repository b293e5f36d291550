"""Commands for other hosts, over ssh: one connection serves all commands within a minute."""

from pathlib import Path

from xenwatch.base.errors import InputError
from xenwatch.host.exec.ssh import ssh_argv
from xenwatch.remediation.machine.port import name_of
from xenwatch.remediation.policy.inventory import ManagedInventory

SOCKETS = Path("/run/xenwatch/ssh")
HANDSHAKE_SECONDS = 10
"""How much longer the first command to a host may take. A preflight runs thirty commands, and a busy dom0 needs seconds
for a handshake, so they share one connection."""
_ALIVE = ("-oServerAliveInterval=5", "-oServerAliveCountMax=2")


class SshTransport:
    """The other hosts of the policy. `sockets`: the folder for shared connections, which only we may read."""

    def __init__(self, inventory: ManagedInventory, sockets: Path = SOCKETS) -> None:
        self._inventory, self._sockets = inventory, sockets

    def is_remote(self, host: str) -> bool:
        """Whether it is reached over ssh."""
        return host not in ("", self._inventory.here)

    def argv(self, argv: tuple[str, ...], host: str) -> tuple[str, ...]:
        """What to run here so that `argv` runs there. InputError where the policy does not name the host."""
        if not self.is_remote(host):
            return argv
        neighbour = self._inventory.host(host)
        if neighbour is None:
            raise InputError(f"{host} is not a [[host]] of the policy")
        # ssh passes the command to a shell on the other host: ssh_argv quotes it
        address = name_of(neighbour.address, "a host's address")
        options = (*_ALIVE, *self._shared_connection())
        return ssh_argv(f"root@{address}", argv, connect_seconds=HANDSHAKE_SECONDS, options=options)

    def _shared_connection(self) -> tuple[str, ...]:
        """Empty where the folder cannot be used: then each command has a connection of its own."""
        try:
            self._sockets.mkdir(mode=0o700, parents=True, exist_ok=True)
            private = self._sockets.stat().st_mode & 0o077 == 0
        except OSError:
            private = False
        return ("-oControlMaster=auto", f"-oControlPath={self._sockets}/%C", "-oControlPersist=60") if private else ()
