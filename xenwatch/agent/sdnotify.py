"""Tells systemd that the agent is ready, stopping or alive (the sd_notify datagram protocol)."""

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
        # WATCHDOG_PID names the process that is watched; a child that inherited the variables must not feed it.
        interval = environment.get("WATCHDOG_USEC", "") if environment.get("WATCHDOG_PID", own) == own else ""
        self.watchdog: float | None = int(interval) / 1_000_000 if self._address and interval.isdecimal() else None
        """Seconds within which systemd expects a sign of life; None where it expects none."""

    def tell(self, *lines: str) -> None:
        """Send `READY=1`, `WATCHDOG=1`, `STOPPING=1`, `STATUS=…`. Never waits and never fails."""
        if not self._address:
            return
        # A leading @ stands for the NUL of Linux' abstract namespace (sd_notify(3)).
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
                sock.sendto("\n".join(lines).encode(), address)
        except OSError as error:
            log.warning("cannot send %s to systemd: %s", lines[0], error)
