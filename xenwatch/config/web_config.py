"""`[web] web_config`: TLS and users in the file that exporters of Prometheus share (their web.config.file)."""

import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xenwatch.base.errors import ConfigError, Problem
from xenwatch.web.server.passwords import Passwords
from xenwatch.web.server.tls import TlsFiles

_CLIENTS = {"": None, "NoClientCert": None, "VerifyClientCertIfGiven": False, "RequireAndVerifyClientCert": True}
"""Whether a client's certificate is required; None: not asked for. A certificate that nobody verifies proves nothing,
so the two types that take such a one are refused."""
_VERSIONS = {"TLS12": False, "TLS13": True}
_TLS = frozenset({"cert_file", "key_file", "client_auth_type", "client_ca_file", "min_version"})
_IGNORED = frozenset({"prefer_server_cipher_suites"})
"""Without meaning in exporter-toolkit itself."""
_PASSWORDS = "basic_auth_users"


@dataclass(frozen=True, slots=True)
class WebConfig:
    """What the file says. `hashes`: the bcrypt hash of each user's password."""

    tls: TlsFiles | None
    hashes: Mapping[str, bytes]


def read_web_config(path: Path) -> WebConfig:
    """ConfigError says all that is wrong in the file, and what of it xenwatch does not know."""
    content = _content(path)
    problems = [Problem(path, 0, key, words) for key, words in _problems(content)]
    if problems:
        raise ConfigError(problems)
    users = content.get(_PASSWORDS) or {}
    return WebConfig(_tls(path, content.get("tls_server_config") or {}), {n: h.encode() for n, h in users.items()})


def passwords_of(path: Path) -> Passwords | None:
    """The users of the file; None where it has none. They are read again when the file changes."""
    if not read_web_config(path).hashes:
        return None
    if importlib.util.find_spec("bcrypt") is None:
        words = "needs bcrypt: install python3-bcrypt, or pip install 'xenwatch[webconfig]'"
        raise ConfigError([Problem(path, 0, _PASSWORDS, words)])
    return Passwords(path, lambda: read_web_config(path).hashes)


def _content(path: Path) -> dict[str, Any]:
    import yaml  # noqa: PLC0415  few have such a file

    try:
        content = yaml.safe_load(path.read_text("utf-8")) or {}
    except (OSError, UnicodeDecodeError) as error:
        words = getattr(error, "strerror", None) or "it is not text"
        raise ConfigError([Problem(path, 0, "", f"cannot be read: {words}")]) from None
    except yaml.YAMLError as error:
        raise ConfigError([Problem(path, 0, "", f"is no YAML: {error}")]) from None
    if not isinstance(content, dict):
        raise ConfigError([Problem(path, 0, "", "must hold tls_server_config or basic_auth_users")])
    return content


def _problems(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key in sorted(content.keys() - {"tls_server_config", "http_server_config", _PASSWORDS}):
        yield str(key), "is no section of a web.config.file"
    tls = content.get("tls_server_config") or {}
    yield from _tls_problems(tls if isinstance(tls, dict) else {"": tls})
    http = content.get("http_server_config") or {}
    for key in sorted(http.keys() - {"http2"}):
        yield f"http_server_config.{key}", "is not supported; xenwatch sets its own security headers"
    users = content.get(_PASSWORDS) or {}
    if not isinstance(users, dict) or not all(isinstance(h, str) and h.startswith("$2") for h in users.values()):
        yield _PASSWORDS, "must give each user the bcrypt hash of a password: htpasswd -nBC 10 NAME"


def _tls_problems(tls: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if not tls:
        return
    for key in sorted(tls.keys() - _TLS - _IGNORED):
        yield f"tls_server_config.{key}", "is not supported; leave it out, and OpenSSL's own choice applies"
    for key in ("cert_file", "key_file"):
        if not tls.get(key):
            yield f"tls_server_config.{key}", "is missing"
    clients = tls.get("client_auth_type", "")
    if clients not in _CLIENTS:
        yield "tls_server_config.client_auth_type", f"must be one of {', '.join(filter(None, _CLIENTS))}"
    elif (_CLIENTS[clients] is not None) != bool(tls.get("client_ca_file")):
        yield "tls_server_config.client_ca_file", "belongs to a client_auth_type that verifies certificates"
    if tls.get("min_version", "TLS12") not in _VERSIONS:
        yield "tls_server_config.min_version", f"must be one of {', '.join(_VERSIONS)}"


def _tls(path: Path, tls: Mapping[str, Any]) -> TlsFiles | None:
    """Relative names are relative to the file itself, as in exporter-toolkit."""
    if not tls:
        return None
    authority = tls.get("client_ca_file")
    return TlsFiles(
        path.parent / tls["cert_file"],
        path.parent / tls["key_file"],
        path.parent / authority if authority else None,
        optional=_CLIENTS[tls.get("client_auth_type", "")] is False,
        only_newest=_VERSIONS[tls.get("min_version", "TLS12")],
    )
