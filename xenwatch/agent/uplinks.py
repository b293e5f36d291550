"""Which switches this host's network cards go to, as they say themselves over LLDP and lldpd has heard it."""

import re

from xenwatch.base.errors import HostError
from xenwatch.host.exec.runner import Runner
from xenwatch.host.parse.lldp import parse_lldpctl
from xenwatch.host.paths import Paths

_ARGV = ("lldpctl", "-f", "json")
_SECONDS = 10.0
_BACKEND = "xen-backend"
_NAME = re.compile(r"[\w.:@-]{1,40}")


class Uplinks:
    """Remembers what it was told: a switch that died says nothing any more, and just then its name is needed."""

    def __init__(self, runner: Runner, paths: Paths) -> None:
        self._runner, self._paths = runner, paths
        self._known: dict[str, str] = {}

    async def facts(self) -> list[str]:
        """`interface=switch`; nothing where lldpd is not there, or has not heard of one."""
        try:
            answer = (await self._runner.run(_ARGV, _SECONDS)).checked()
        except HostError:
            return self._listed()
        self._known |= {name: text for name, text in parse_lldpctl(answer.text).items() if self._is_ours(name)}
        return self._listed()

    def _listed(self) -> list[str]:
        return [f"{name}={text.replace('=', '-')}" for name, text in sorted(self._known.items())]

    def _is_ours(self, interface: str) -> bool:
        """A card of this host. On an interface of a guest the guest may say what it likes."""
        device = self._paths.at("sys/class/net", interface, "device") if _NAME.fullmatch(interface) else None
        try:
            return device is not None and device.exists() and (device / "subsystem").resolve().name != _BACKEND
        except OSError:
            return False
