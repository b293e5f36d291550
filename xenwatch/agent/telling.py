"""Who is told of incidents beside the pages: the destinations of [notify.NAME], and Alertmanager's silences."""

from collections.abc import Iterable

from xenwatch.base.clock import Clock
from xenwatch.config.alertmanager import alertmanager_access
from xenwatch.config.notify import routes_of
from xenwatch.config.sections import Config
from xenwatch.host.files import read_text
from xenwatch.host.paths import Paths
from xenwatch.model.incident import Incident
from xenwatch.notify.notifications import Notifications
from xenwatch.notify.silences import Silences


def notifications_of(config: Config, clock: Clock, paths: Paths, known: Iterable[Incident]) -> Notifications:
    """Those of [notify.NAME]; without any, it has nothing to do."""
    host = (read_text(paths.at("proc/sys/kernel/hostname")) or "this host").strip()
    link = config.web.external_url.rstrip("/")
    made = Notifications(routes_of(config.notify), clock, config.agent.state_dir, host, link)
    made.changed(known)
    return made


def silences_of(config: Config, clock: Clock, known: Iterable[Incident]) -> Silences:
    """Those of [alertmanager]; without a URL, it has nothing to do."""
    made = Silences(alertmanager_access(config.alertmanager), clock, config.agent.state_dir)
    made.changed(known)
    return made
