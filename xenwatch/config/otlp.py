"""The section [otlp] as the exporter takes it."""

from collections.abc import Iterator
from functools import partial

from xenwatch.config.integrations import OtlpSettings
from xenwatch.notify.otlp import OtlpAccess
from xenwatch.notify.senders import read_secret


def otlp_access(settings: OtlpSettings) -> OtlpAccess | None:
    """None where no collector is named."""
    if not settings.endpoint:
        return None
    token = None if settings.token_file is None else partial(read_secret, settings.token_file)
    authority = None if settings.tls_ca is None else str(settings.tls_ca)
    return OtlpAccess(settings.endpoint.rstrip("/"), settings.metrics_every, token, authority)


def otlp_contradictions(settings: OtlpSettings) -> Iterator[tuple[str, str]]:
    """`section.key`, and what is wrong with it."""
    if settings.endpoint and not settings.endpoint.startswith(("http://", "https://")):
        yield "otlp.endpoint", "must begin with http:// or https://"
