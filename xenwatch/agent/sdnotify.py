"""Tells systemd that the agent is ready, stopping, or still getting on (the sd_notify datagram protocol)."""

import logging
import os
import socket
from collections.abc import Mapping

log = logging.getLogger(__name__)


class SystemdNotifier:
    """Sends to `NOTIFY_SOCKET`; does nothing where the agent was not started by systemd."""

    def __init__(self, environment: Mapping[str, str], pid: int | None = None) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        own = str(os.getpid() if pid is None else pid)
        # WATCHDOG_PID says whose watchdog it is; a child that inherited the variables must not feed it.
        asked = environment.get("WATCHDOG_USEC", "") if environment.get("WATCHDOG_PID", own) == own else ""
        self.watchdog: float | None = int(asked) / 1_000_000 if self._address and asked.isdecimal() else None
        """Seconds within which systemd wants to hear from us; None where it does not."""

    def tell(self, *lines: str) -> None:
        """Send `READY=1`, `WATCHDOG=1`, `STOPPING=1`, `STATUS=…`. Never waits and never fails."""
        if not self._address:
            return
        # A leading @ stands for the NUL of Linux' abstract namespace (sd_notify(3)).
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as door:
                door.sendto("\n".join(lines).encode(), address)
        except OSError as error:
            log.warning("systemd could not be told %s: %s", lines[0], error)
