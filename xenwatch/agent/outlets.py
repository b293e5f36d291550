"""Who is told of incidents beside the agent's own pages: people, the fleet, Alertmanager, a collector."""

from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from xenwatch.agent.join_facts import facts_part
from xenwatch.base.clock import Clock
from xenwatch.config.alertmanager import alertmanager_access
from xenwatch.config.fleet_member import fleet_registry
from xenwatch.config.notify import routes_of
from xenwatch.config.otlp import otlp_access
from xenwatch.config.sections import Config
from xenwatch.host.files import read_text
from xenwatch.host.paths import Paths
from xenwatch.model.incident import Incident
from xenwatch.model.sample import Snapshot
from xenwatch.notify.notifications import Notifications
from xenwatch.notify.otlp import OtlpExport
from xenwatch.notify.silences import Silences


class Outlets:
    """Each does nothing where the configuration does not name it."""

    def __init__(self, config: Config, clock: Clock, paths: Paths, known: Iterable[Incident]) -> None:
        """`known`: the incidents at the start. XenwatchError where a file that is named cannot be used."""
        folder, incidents = config.agent.state_dir, list(known)
        self.host = host = (read_text(paths.at("proc/sys/kernel/hostname")) or "this host").strip()
        self.fleet = fleet_registry(config.fleet, clock, _link(config))
        self._clock, self._paths, self._fleet_settings = clock, paths, config.fleet
        self._snapshot: Snapshot | None = None
        self.notifications = Notifications(routes_of(config.notify), clock, folder, host, _link(config))
        self.silences = Silences(alertmanager_access(config.alertmanager), clock, folder)
        self.otlp = OtlpExport(otlp_access(config.otlp), clock, host)
        self.otlp.know(incidents)
        self.changed(incidents)

    def changed(self, incidents: Iterable[Incident]) -> None:
        """Incidents that opened, changed or ended."""
        changed = list(incidents)
        self.fleet.offer(changed)
        for outlet in (self.notifications, self.silences, self.otlp):
            outlet.changed(changed)

    def reload(self, config: Config, known: Iterable[Incident]) -> None:
        """The routes of another configuration; the others are read at the start."""
        self.notifications.replace(routes_of(config.notify), _link(config), known)

    def sampled(self, snapshot: Snapshot) -> None:
        """A sampling cycle is over."""
        self._snapshot = snapshot
        self.otlp.sampled(snapshot)

    def parts(self) -> dict[str, Callable[[], Coroutine[Any, Any, None]]]:
        """What runs until the agent ends."""
        return {
            "fleet": self.fleet.run,
            **facts_part(self._fleet_settings, self.fleet, self._paths, lambda: self._snapshot, self._clock),
            "notifications": self.notifications.run,
            "silences": self.silences.run,
            "otlp": self.otlp.run,
        }


def _link(config: Config) -> str:
    return config.web.external_url.rstrip("/")
