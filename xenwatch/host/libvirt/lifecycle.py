"""Counts what libvirt said happened to domains, and hands each event on."""

from collections import OrderedDict
from collections.abc import Callable

from xenwatch.host.libvirt.connection import LifecycleEvent

_MOST = 8192


class Lifecycle:
    """Counts by domain, event and detail since the start; the longest unheard of are forgotten beyond a bound."""

    def __init__(self, on_event: Callable[[LifecycleEvent], None] | None = None) -> None:
        self._on_event = on_event
        self._counts: OrderedDict[tuple[str, str, str], int] = OrderedDict()

    def seen(self, event: LifecycleEvent) -> None:
        key = (event.name, event.event, event.detail)
        self._counts[key] = self._counts.get(key, 0) + 1
        self._counts.move_to_end(key)
        if len(self._counts) > _MOST:
            self._counts.popitem(last=False)
        if self._on_event is not None:
            self._on_event(event)

    @property
    def counts(self) -> dict[tuple[str, str, str], int]:
        """How often each (domain, event, detail) came."""
        return dict(self._counts)
