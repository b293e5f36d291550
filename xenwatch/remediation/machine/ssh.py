"""Words for a neighbour, over ssh: one connection serves all that is asked of it within a minute."""

from pathlib import Path

from xenwatch.base.errors import InputError
from xenwatch.host.exec.ssh import ssh_argv
from xenwatch.remediation.machine.port import name_of
from xenwatch.remediation.policy.inventory import ManagedInventory

SOCKETS = Path("/run/xenwatch/ssh")
HANDSHAKE_SECONDS = 10
"""What the first words to a host may take longer. A preflight asks thirty things, and a busy dom0 needs seconds for one
handshake: shared, it is made once."""
_ALIVE = ("-oServerAliveInterval=5", "-oServerAliveCountMax=2")


class SshTransport:
    """The other hosts of the policy. `sockets`: a folder of ours alone, where a connection waits for the next words."""

    def __init__(self, inventory: ManagedInventory, sockets: Path = SOCKETS) -> None:
        self._inventory, self._sockets = inventory, sockets

    def is_far(self, host: str) -> bool:
        """Whether it takes ssh to get there."""
        return host not in ("", self._inventory.here)

    def argv(self, argv: tuple[str, ...], host: str) -> tuple[str, ...]:
        """What to run here so that `argv` runs there. InputError where the policy knows no such host."""
        if not self.is_far(host):
            return argv
        known = self._inventory.host(host)
        if known is None:
            raise InputError(f"{host} is not a [[host]] of the policy")
        to = name_of(known.address, "a host's address")
        options = (*_ALIVE, *self._shared())
        return ssh_argv(f"root@{to}", argv, connect_seconds=HANDSHAKE_SECONDS, options=options)

    def _shared(self) -> tuple[str, ...]:
        """Nothing where the folder cannot be had: then each question has a connection of its own."""
        try:
            self._sockets.mkdir(mode=0o700, parents=True, exist_ok=True)
            mine = self._sockets.stat().st_mode & 0o077 == 0
        except OSError:
            mine = False
        return ("-oControlMaster=auto", f"-oControlPath={self._sockets}/%C", "-oControlPersist=60") if mine else ()
