"""libvirt's event loop in a thread of its own, once a process: it carries keepalive and lifecycle events."""

import logging
import threading
import time

from xenwatch.host.libvirt.binding import libvirt

log = logging.getLogger(__name__)

_lock = threading.Lock()
_started = False


def start_event_loop() -> None:
    """Register and run the loop. libvirt asks for it before the first connection; later calls do nothing."""
    global _started  # noqa: PLW0603 - libvirt has one event loop a process, and it cannot be taken back
    with _lock:
        if _started:
            return
        # libvirt prints every error to stderr unless a handler is set; ours come as exceptions.
        libvirt.registerErrorHandler(lambda _context, _error: None, None)
        libvirt.virEventRegisterDefaultImpl()
        threading.Thread(target=_turn, name="libvirt-events", daemon=True).start()
        _started = True


def _turn() -> None:
    while True:
        try:
            libvirt.virEventRunDefaultImpl()
        except libvirt.libvirtError as error:
            log.warning("libvirt's event loop: %s", error)
            time.sleep(1)  # in its own thread; only to keep a loop that fails at once from spinning
