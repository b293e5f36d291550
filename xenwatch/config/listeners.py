"""What the configuration says of what listens, as the web layer takes it; and whether strangers reach it."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from xenwatch.base.errors import ConfigError
from xenwatch.base.toml_tables import TomlFile
from xenwatch.config.sections import HookSettings, WebSettings
from xenwatch.remediation.policy.policy import Policy
from xenwatch.web.app import is_loopback
from xenwatch.web.connection import ConnectionLimits
from xenwatch.web.listener import Listener
from xenwatch.web.tls import TlsFiles


def tls_of(settings: WebSettings | HookSettings) -> TlsFiles | None:
    """None where it speaks plain HTTP."""
    if settings.tls_certificate is None or settings.tls_key is None:
        return None
    return TlsFiles(settings.tls_certificate, settings.tls_key, settings.tls_client_ca)


def limits_of(settings: WebSettings) -> ConnectionLimits:
    """For every listener."""
    return ConnectionLimits(
        settings.most_connections, settings.head_deadline, settings.idle_deadline, settings.request_deadline
    )


def guarded(settings: WebSettings) -> bool:
    """Whether only those reach the API who are on this machine, have a certificate, or a token nobody overhears."""
    return (
        is_loopback(settings.listen[0])
        or settings.tls_client_auth == "require"
        or (settings.log_in == "token" and settings.tls_certificate is not None)
    )


def refuse_open_auto(policy: Policy, path: Path, *, guarded: bool) -> None:
    """ConfigError, at its line in `path`, where a policy would act on its own on a host whose API answers anybody."""
    if not guarded and policy.mode == "auto":
        words = (
            "auto is refused while [web] listen is not the loopback and asks nobody who he is; "
            'set [web] tls_client_auth = "require", or log_in = "token" with TLS, or listen on 127.0.0.1'
        )
        file = TomlFile(path, path.read_text("utf-8"))
        file.report("remediation.mode", words)
        raise ConfigError(file.problems)


def listener_families(host: Mapping[str, Listener]) -> Iterator[Metric]:
    """Connections to each listener."""
    held = GaugeMetricFamily("xenwatch_web_connections", "Open connections to a listener", labels=["listener"])
    dropped = CounterMetricFamily(
        "xenwatch_web_connections_dropped",
        "Connections that were ended before their time, by reason",
        labels=["listener", "reason"],
    )
    for name, door in host.items():
        held.add_metric([name], door.connections)
        for reason, count in sorted(door.dropped.items()):
            dropped.add_metric([name, reason], count)
    yield from (held, dropped)
