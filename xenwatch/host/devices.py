"""Backends of guests' devices that dom0 serves: which there are, and what the toolstack wrote about each."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from xenwatch.base.clock import Clock
from xenwatch.base.errors import HostError
from xenwatch.host.files import names_in
from xenwatch.host.paths import Paths
from xenwatch.host.xenstore.client import Xenstore

_NAME = re.compile(r"(?P<kind>[a-z0-9]+)-(?P<domid>\d+)-(?P<devid>\d+)")
_BACKENDS = "/local/domain/0/backend"
_KEYS = (
    "frontend", "dev", "params", "type", "mode", "device-type", "physical-device",
    "mac", "bridge", "script", "rate", "ip", "sectors",
)  # fmt: skip
_TELL_AGAIN_SECONDS = 300.0
"""What is written about a device hardly changes while it lives; a changed CD does."""


@dataclass(frozen=True, slots=True)
class Device:
    """One backend, such as vbd 51712 of domain 3."""

    kind: str
    """`vbd`, `qdisk`, `vif`, `console`, `vkbd` …"""
    domid: int
    devid: int
    about: Mapping[str, str] = field(default_factory=dict)
    """What the toolstack wrote in the backend's xenstore folder; only dom0 can write there."""

    @property
    def backend(self) -> str:
        return f"{_BACKENDS}/{self.kind}/{self.domid}/{self.devid}"

    @property
    def frontend(self) -> str:
        return self.about.get("frontend") or f"/local/domain/{self.domid}/device/{self.kind}/{self.devid}"

    @property
    def name(self) -> str:
        """What stays over a reboot: `xvda` of a disk, the number of anything else."""
        if self.kind in ("vbd", "qdisk", "tap"):
            return self.about.get("dev") or disk_name(self.devid)
        return str(self.devid)


class Devices:
    """The one list that collectors share."""

    def __init__(self, clock: Clock, paths: Paths, xenstore: Xenstore | None) -> None:
        self._clock, self._bus = clock, paths.at("sys/bus/xen-backend/devices")
        self._xenstore = xenstore
        self._last: tuple[Device, ...] = ()
        self._listed_at, self._told_at = float("-inf"), float("-inf")
        self._names: list[str] | None = None
        self._keys: list[tuple[str, int, int]] = []
        self._told: dict[tuple[str, int, int], Mapping[str, str]] = {}
        self._lock = asyncio.Lock()

    async def current(self, max_age: float = 2.0) -> tuple[Device, ...]:
        """All backends of dom0. Without xenstore they come without what is written about them."""
        async with self._lock:
            now = self._clock.monotonic()
            if now - self._listed_at > max_age:
                self._last = await self._list(now)
                self._listed_at = now
            return self._last

    async def _list(self, now: float) -> tuple[Device, ...]:
        """The same tuple as before where the same devices are there and nothing new was told: the common case."""
        names = await asyncio.to_thread(names_in, self._bus)
        keys = self._keys if names == self._names else _parsed(names)
        if not keys:
            names, keys = [], await self._from_xenstore()
        if now - self._told_at > _TELL_AGAIN_SECONDS:
            self._told, self._told_at = {}, now
        learnt = await self._learn([key for key in keys if key not in self._told])
        if learnt or keys != self._keys:
            self._names, self._keys = names or None, keys
            self._last = tuple(Device(*key, about=self._told.get(key, {})) for key in keys)
        return self._last

    async def _learn(self, keys: list[tuple[str, int, int]]) -> bool:
        """Whether something was told about these."""
        if self._xenstore is None or not keys:
            return False
        paths = [f"{Device(*key).backend}/{name}" for key in keys for name in _KEYS]
        try:
            values = await self._xenstore.read_many(paths)
        except HostError:
            return False  # asked again next time
        for n, key in enumerate(keys):
            pairs = zip(_KEYS, values[n * len(_KEYS) : (n + 1) * len(_KEYS)], strict=True)
            self._told[key] = {name: value for name, value in pairs if value}
        return True

    async def _from_xenstore(self) -> list[tuple[str, int, int]]:
        """For kernels that have backends outside of the bus (every disk served by qemu)."""
        store = self._xenstore
        if store is None:
            return []
        kinds = await store.children(_BACKENDS)
        domids = await store.children_many([f"{_BACKENDS}/{kind}" for kind in kinds])
        folders = [(kind, domid) for kind, ids in zip(kinds, domids, strict=True) for domid in ids]
        devids = await store.children_many([f"{_BACKENDS}/{kind}/{domid}" for kind, domid in folders])
        return _parsed([f"{kind}-{d}-{n}" for (kind, d), ids in zip(folders, devids, strict=True) for n in ids])


def _parsed(names: list[str]) -> list[tuple[str, int, int]]:
    found = (_NAME.fullmatch(name) for name in names)
    return sorted((one["kind"], int(one["domid"]), int(one["devid"])) for one in found if one)


@lru_cache(maxsize=4096)
def disk_name(devid: int) -> str:
    """The guest's name of a virtual disk: 51712 is xvda, 51714 xvda2, 768 hda (xen: docs/man/xen-vbd-interface)."""
    if devid & (1 << 28):
        disk, part = (devid & 0xFFFFFFF) >> 8, devid & 0xFF
        return f"xvd{_letters(disk)}{part or ''}"
    major, minor = devid >> 8, devid & 0xFF
    if major in _IDE:
        return f"hd{chr(ord('a') + _IDE.index(major) * 2 + (minor >> 6))}{minor & 63 or ''}"
    kind = {202: "xvd", 8: "sd"}.get(major)
    return f"{kind}{_letters(minor >> 4)}{minor & 15 or ''}" if kind else str(devid)


_IDE = (3, 22)


def _letters(number: int) -> str:
    """0 is a, 25 z, 26 aa."""
    text = ""
    number += 1
    while number:
        number, letter = divmod(number - 1, 26)
        text = chr(ord("a") + letter) + text
    return text
