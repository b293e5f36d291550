"""The listeners of the configuration, as the web layer takes them; and whether strangers can reach them."""

from pathlib import Path
from typing import TYPE_CHECKING

from xenwatch.base.errors import ConfigError
from xenwatch.base.toml_tables import TomlFile
from xenwatch.config.sections import HookSettings, WebSettings
from xenwatch.config.web_config import passwords_of, read_web_config
from xenwatch.remediation.policy.policy import Policy
from xenwatch.web.server.loopback import is_loopback
from xenwatch.web.server.passwords import Passwords
from xenwatch.web.server.tls import TlsFiles

if TYPE_CHECKING:
    from xenwatch.web.server.connection import ConnectionLimits


def tls_of(settings: WebSettings | HookSettings) -> TlsFiles | None:
    """None for plain HTTP. ConfigError where `web_config` has a mistake."""
    if isinstance(settings, WebSettings) and settings.web_config is not None:
        return read_web_config(settings.web_config).tls
    if settings.tls_certificate is None or settings.tls_key is None:
        return None
    return TlsFiles(settings.tls_certificate, settings.tls_key, settings.tls_client_ca)


def passwords_of_listener(settings: WebSettings) -> Passwords | None:
    """Users with a password, of `web_config`."""
    return None if settings.web_config is None else passwords_of(settings.web_config)


def socket_of(settings: WebSettings) -> Path | None:
    """The socket of this machine; None where there is none."""
    port = settings.listen[1]
    if not settings.socket or (not port and "{port}" in settings.socket):
        return None
    return Path(settings.socket.replace("{port}", str(port)))


def limits_of(settings: WebSettings) -> "ConnectionLimits":
    """For every listener."""
    from xenwatch.web.server.connection import ConnectionLimits  # noqa: PLC0415  its libraries are the server's alone

    return ConnectionLimits(
        settings.most_connections, settings.head_deadline, settings.idle_deadline, settings.request_deadline
    )


def guarded(settings: WebSettings) -> bool:
    """Whether it answers only this machine, clients with a certificate, or over TLS who has a token or password."""
    if is_loopback(settings.listen[0]):
        return True
    asks, has_tls, proves = settings.log_in == "token", settings.tls_certificate is not None, False
    if settings.web_config is not None:
        said = read_web_config(settings.web_config)
        asks, has_tls = asks or bool(said.hashes), said.tls is not None
        proves = said.tls is not None and said.tls.client_ca is not None and not said.tls.optional
    return settings.tls_client_auth == "require" or proves or (asks and has_tls)


def refuse_open_auto(policy: Policy, path: Path, *, guarded: bool) -> None:
    """ConfigError, at its line in `path`, if a policy would act by itself while the API answers anybody."""
    if not guarded and policy.mode == "auto":
        message = (
            "auto is refused while [web] listen is not the loopback and needs neither certificate nor token; "
            'set [web] tls_client_auth = "require", or log_in = "token" with TLS, or listen on 127.0.0.1'
        )
        file = TomlFile(path, path.read_text("utf-8"))
        file.report("remediation.mode", message)
        raise ConfigError(file.problems)
