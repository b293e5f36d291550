"""One connection to libvirt, used in worker threads: timed calls, lifecycle events, closing it for good."""

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from xenwatch.base.clock import Clock
from xenwatch.base.errors import HostError, Unavailable, Unsupported
from xenwatch.host.libvirt.binding import libvirt
from xenwatch.host.libvirt.rpc_stats import RpcStats
from xenwatch.host.libvirt.uri import is_local

T = TypeVar("T")

_KEEPALIVE = (5, 3)  # a ping after 5 s of silence; three without an answer close the connection and free its callers

LIFECYCLE = ("defined", "undefined", "started", "suspended", "resumed", "stopped", "shutdown", "pmsuspended", "crashed")
_DETAILS = {
    "started": ("booted", "migrated", "restored", "from_snapshot", "wakeup"),
    "suspended": ("paused", "migrated", "ioerror", "watchdog", "restored", "from_snapshot", "api_error", "postcopy"),
    "resumed": ("unpaused", "migrated", "from_snapshot", "postcopy"),
    "stopped": ("shutdown", "destroyed", "crashed", "migrated", "saved", "failed", "from_snapshot"),
}
"""By their numbers: virDomainEventStartedDetailType and its siblings."""


@dataclass(frozen=True, slots=True)
class LifecycleEvent:
    """Something libvirt said happened to a domain."""

    at: float
    name: str
    uuid: str
    domid: int | None
    event: str
    detail: str


class Session:
    """What a piece of work gets in its thread: the connection, and a way of calling it that is timed and remembered."""

    def __init__(self, connection: libvirt.virConnect, stats: RpcStats) -> None:
        self.connection = connection
        self._stats = stats

    def call(self, name: str, function: Callable[..., T], *args: Any) -> T:
        """`function(*args)`, timed as `name`. Unsupported where the driver lacks the call; it is asked once only."""
        if self._stats.is_unsupported(name):
            raise Unsupported(f"{name}: this libvirt driver does not have it")
        started = time.perf_counter()
        try:
            return function(*args)
        except libvirt.libvirtError as error:
            code = error.get_error_code()
            self._stats.failed(name, str(code))
            if code == libvirt.VIR_ERR_NO_SUPPORT:
                self._stats.refused(name)
                raise Unsupported(f"{name}: {error}") from None
            raise
        finally:
            self._stats.took(name, time.perf_counter() - started)


def _open(uri: str) -> Any:
    """Every user may read of this host's libvirt; to change something there is another process."""
    readable = is_local(uri) and os.geteuid() != 0
    return libvirt.openReadOnly(uri) if readable else libvirt.open(uri)


class Connection:
    """libvirt's connection and its events. `alive`, `turn` and `listen` are for the event loop's thread."""

    def __init__(self, uri: str, clock: Clock, tell: Callable[[LifecycleEvent], None]) -> None:
        self.alive = True
        self._clock = clock
        self.virt = _open(uri)
        self._tell = tell
        self._loop: asyncio.AbstractEventLoop | None = None
        self._registered: int | None = None
        self.turn = asyncio.Lock()
        """Held by the one call that may run."""
        self._lock, self._users, self._closing = threading.Lock(), 0, False
        with contextlib.suppress(libvirt.libvirtError):  # drivers inside this process have no keepalive
            self.virt.setKeepAlive(*_KEEPALIVE)
        with contextlib.suppress(libvirt.libvirtError):
            self.virt.registerCloseCallback(self._lost, None)
        with contextlib.suppress(libvirt.libvirtError):
            self._registered = self.virt.domainEventRegisterAny(
                None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, self._event, None
            )

    def listen(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def check(self) -> None:
        """After an error: is it the connection that is gone? Asks the socket, not the daemon."""
        with contextlib.suppress(libvirt.libvirtError):
            if self.virt.isAlive():
                return
        self.alive = False

    @contextlib.contextmanager
    def used(self) -> Iterator[libvirt.virConnect]:
        """While a call runs nobody may free the connection below it: libvirt's binding would crash the process."""
        with self._lock:
            if self._closing:
                raise Unavailable("libvirt: connection closed")
            self._users += 1
        try:
            yield self.virt
        finally:
            with self._lock:
                self._users -= 1
                last = self._closing and self._users == 0
            if last:
                self._free()

    def close(self) -> None:
        """Close it now, or, while calls still hang in it, when the last of them comes back."""
        self.alive = False
        with self._lock:
            idle = self._users == 0 and not self._closing
            self._closing = True
        if idle:
            self._free()

    def _free(self) -> None:
        with contextlib.suppress(libvirt.libvirtError):
            if self._registered is not None:
                self.virt.domainEventDeregisterAny(self._registered)
        with contextlib.suppress(libvirt.libvirtError):
            self.virt.unregisterCloseCallback()
        with contextlib.suppress(libvirt.libvirtError):
            self.virt.close()

    def _lost(self, _connection: Any, _reason: int, _opaque: Any) -> None:
        self.alive = False

    def _event(self, _connection: Any, domain: libvirt.virDomain, event: int, detail: int, _opaque: Any) -> None:
        """In libvirt's event thread; the accessors used here are local."""
        domid = domain.ID()
        happened = LifecycleEvent(
            self._clock.now(), domain.name(), domain.UUIDString(), domid if domid >= 0 else None, *_words(event, detail)
        )
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the event loop is closed
                self._loop.call_soon_threadsafe(self._tell, happened)


def _words(event: int, detail: int) -> tuple[str, str]:
    name = LIFECYCLE[event] if 0 <= event < len(LIFECYCLE) else str(event)
    words = _DETAILS.get(name, ())
    return name, words[detail] if 0 <= detail < len(words) else str(detail)


def guarded(connection: Connection, what: str, work: Callable[[Session], T], stats: RpcStats) -> T:
    """`work` in a worker thread, with libvirt's errors turned into ours: Unavailable where the connection is gone."""
    with connection.used() as virt:
        try:
            return work(Session(virt, stats))
        except libvirt.libvirtError as error:
            connection.check()
            kind = HostError if connection.alive else Unavailable
            raise kind(f"libvirt {what}: {error}") from None
