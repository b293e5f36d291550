"""What a unit file of systemd grants, and whether it is enough for a program."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

EFFECTS_UNIT = Path(__file__).parents[2] / "packaging/systemd/xenwatch-effects.service"
_OWN_FOLDERS = {"StateDirectory": "/var/lib", "CacheDirectory": "/var/cache", "RuntimeDirectory": "/run"}


@dataclass(frozen=True)
class Needs:
    """What a program needs to do its work; a device as `path mode`."""

    capabilities: frozenset[str] = frozenset()
    writes: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Grants:
    """What a unit allows."""

    capabilities: frozenset[str]
    writes: tuple[str, ...]
    devices: tuple[tuple[str, str], ...]

    def lacks(self, needs: Needs) -> list[str]:
        """What is missing, in words; empty where nothing is."""
        return [
            *sorted(needs.capabilities - self.capabilities),
            *(f"write {path}" for path in needs.writes if not self._may_write(path)),
            *(f"device {device}" for device in needs.devices if not self._may_open(*device.split())),
        ]

    def _may_write(self, path: str) -> bool:
        return any(path == folder or path.startswith(f"{folder}/") for folder in self.writes)

    def _may_open(self, path: str, mode: str) -> bool:
        given = "".join(modes for allowed, modes in self.devices if fnmatchcase(path, allowed))
        return set(mode) <= set(given)


def grants(settings: Iterable[str]) -> Grants:
    """Of the lines `Name=value` of a unit with ProtectSystem=strict, a bounding set and closed devices."""
    pairs = [(name, value) for name, found, value in (line.partition("=") for line in settings) if found]
    assert {("ProtectSystem", "strict"), ("DevicePolicy", "closed"), ("NoNewPrivileges", "yes")} <= set(pairs)
    return Grants(
        frozenset(word for name, value in pairs if name == "CapabilityBoundingSet" for word in value.split()),
        (
            *(word.lstrip("-") for name, value in pairs if name == "ReadWritePaths" for word in value.split()),
            *(f"{_OWN_FOLDERS[name]}/{value}" for name, value in pairs if name in _OWN_FOLDERS),
        ),
        tuple(_device(value) for name, value in pairs if name == "DeviceAllow"),
    )


@cache
def effects_grants() -> Grants:
    """Of the unit that carries out repairs, as it is shipped."""
    return grants(EFFECTS_UNIT.read_text().splitlines())


def _device(value: str) -> tuple[str, str]:
    path, _, modes = value.partition(" ")
    return path, modes
