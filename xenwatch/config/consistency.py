"""Settings that are valid by themselves but contradict each other."""

import re
from collections.abc import Iterator

from xenwatch.config.alertmanager import alertmanager_contradictions
from xenwatch.config.notify import contradictions_of
from xenwatch.config.otlp import otlp_contradictions
from xenwatch.config.sections import Config, FleetSettings, HookSettings, WebSettings
from xenwatch.config.xapi import contradictions_of_pool

_EXTERNAL = re.compile(r"https?://[^/?#@\s]+/?")


def contradictions(config: Config) -> Iterator[tuple[str, str]]:
    """`section.key` of a setting that was given, and how it contradicts the others."""
    yield from _tls("web", config.web)
    if config.web.web_config is not None and config.web.tls_certificate is not None:
        yield "web.web_config", "has TLS of its own: leave out [web] tls_certificate and the other tls_ keys"
    yield from _tls("hooks", config.hooks)
    yield from _fleet(config.fleet)
    yield from alertmanager_contradictions(config.alertmanager)
    yield from otlp_contradictions(config.otlp)
    if config.web.external_url and not _EXTERNAL.fullmatch(config.web.external_url):
        yield "web.external_url", "must be a scheme and a host, without a path, such as https://xen1.example:10197"
    for name, settings in config.notify.items():
        yield from contradictions_of(name, settings)
    for pool, access in config.xapi.items():
        yield from contradictions_of_pool(pool, access)
    if config.hooks.listen is None:
        for key in ("tls_certificate", "tls_key", "tls_client_ca"):
            if getattr(config.hooks, key) is not None:
                yield f"hooks.{key}", "needs [hooks] listen; without it, webhooks use the address and TLS of [web]"
    elif config.hooks.listen == config.web.listen and config.hooks.listen[1]:
        yield "hooks.listen", "is the address of [web] too; leave it out, or choose another port"


def _tls(section: str, settings: WebSettings | HookSettings) -> Iterator[tuple[str, str]]:
    required = settings.tls_client_auth == "require"
    if settings.tls_certificate is not None and settings.tls_key is None:
        yield f"{section}.tls_certificate", f"needs [{section}] tls_key"
    if settings.tls_key is not None and settings.tls_certificate is None:
        yield f"{section}.tls_key", f"needs [{section}] tls_certificate"
    if settings.tls_client_ca is not None and settings.tls_certificate is None:
        yield f"{section}.tls_client_ca", f"needs [{section}] tls_certificate and tls_key"
    if settings.tls_client_ca is not None and not required:
        yield (
            f"{section}.tls_client_ca",
            f'has no effect without [{section}] tls_client_auth = "require"',
        )
    if required and settings.tls_client_ca is None:
        yield (
            f"{section}.tls_client_auth",
            f"needs [{section}] tls_client_ca, the authority that signs the certificates of clients",
        )


def _fleet(settings: FleetSettings) -> Iterator[tuple[str, str]]:
    if wrong := [address for address in settings.etcd if not address.startswith(("http://", "https://"))]:
        yield "fleet.etcd", f"{wrong[0]} must begin with https:// or http://"
    if "/" in settings.host:
        yield "fleet.host", "must not hold a slash"
    if (settings.tls_certificate is None) != (settings.tls_key is None):
        given, other = ("certificate", "key") if settings.tls_key is None else ("key", "certificate")
        yield f"fleet.tls_{given}", f"needs [fleet] tls_{other}"
    if settings.user and settings.password_file is None:
        yield "fleet.user", "needs [fleet] password_file"
