"""The section [alertmanager] as the silences take it."""

import ssl
from collections.abc import Iterator
from functools import partial

from xenwatch.base.errors import InputError
from xenwatch.config.integrations import AlertmanagerSettings
from xenwatch.notify.senders import read_secret
from xenwatch.notify.silences import AlertmanagerAccess


def alertmanager_access(settings: AlertmanagerSettings) -> AlertmanagerAccess | None:
    """None where no Alertmanager is named. InputError where a file that the section names cannot be used."""
    if not settings.url:
        return None
    token = None if settings.token_file is None else partial(read_secret, settings.token_file)
    labels = dict(label.split("=", 1) for label in settings.labels)
    return AlertmanagerAccess(settings.url.rstrip("/"), labels, settings.silence_for, token, _tls(settings))


def alertmanager_contradictions(settings: AlertmanagerSettings) -> Iterator[tuple[str, str]]:
    """`section.key`, and what is wrong with it."""
    if settings.url and not settings.url.startswith(("http://", "https://")):
        yield "alertmanager.url", "must begin with http:// or https://"
    if settings.url and not settings.labels:
        words = 'is needed, such as ["instance=xen1:10197"]: without it the alerts of other hosts would be silenced too'
        yield "alertmanager.url", f"[alertmanager] labels {words}"
    if wrong := [label for label in settings.labels if not all(label.partition("="))]:
        yield "alertmanager.labels", f"{wrong[0]!r} must be a name and a value, such as instance=xen1:10197"


def _tls(settings: AlertmanagerSettings) -> ssl.SSLContext | None:
    if settings.tls_ca is None:
        return None
    try:
        return ssl.create_default_context(cafile=settings.tls_ca)
    except (OSError, ssl.SSLError) as error:
        raise InputError(f"[alertmanager] tls_ca: {settings.tls_ca} cannot be used: {error}") from None
