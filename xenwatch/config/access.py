"""Who may send alerts, approve runs and get notifications: a file of secrets that only its owner may read."""

import re
import stat
from dataclasses import dataclass
from pathlib import Path

from xenwatch.base.errors import ConfigError, Problem
from xenwatch.base.toml_file import read_toml
from xenwatch.base.toml_tables import TomlFile, TomlTable
from xenwatch.notify.webhooks import Destination
from xenwatch.web.auth import Role, User
from xenwatch.web.webhook_auth import WebhookSenders

_SHORTEST = 16
_SHA256 = re.compile(r"[0-9a-f]{64}")
_ROLES: tuple[Role, ...] = ("viewer", "approver", "admin")


@dataclass(frozen=True, slots=True)
class Access:
    """Without a file nobody may do anything, and nobody is notified."""

    senders: WebhookSenders = WebhookSenders()  # noqa: RUF009 - frozen
    users: tuple[User, ...] = ()
    destinations: tuple[Destination, ...] = ()


def load_access(path: Path) -> Access:
    """`[hooks] bearer, basic, keys, certificates`, `[[person]] name, role, token …`, `[[destination]] url, key …`."""
    if not path.exists():
        return Access()
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO) & ~stat.S_IRGRP:
        raise ConfigError([Problem(path, 0, "", "holds secrets, but others may read or write it; run chmod 640 on it")])
    text, content = read_toml(path)
    file = TomlFile(path, text)
    access = _access(TomlTable(content, file))
    if file.problems:
        raise ConfigError(file.problems)
    return access


def _access(top: TomlTable) -> Access:
    hooks = top.table("hooks")
    senders = WebhookSenders(
        bearer=_secrets(hooks, "bearer"),
        basic=hooks.pairs("basic"),
        keys=tuple(key.encode() for key in _secrets(hooks, "keys")),
        certificates=hooks.texts("certificates"),
    )
    access = Access(
        senders,
        tuple(_person(table) for table in top.tables("person")),
        tuple(_destination(table) for table in top.tables("destination")),
    )
    hooks.done()
    top.done()
    return access


def _secrets(table: TomlTable, key: str) -> tuple[str, ...]:
    values = table.texts(key)
    table.need(key, all(len(value) >= _SHORTEST for value in values), f"a secret needs at least {_SHORTEST} characters")
    return values


def _person(table: TomlTable) -> User:
    role, digest = table.choice("role", "viewer", _ROLES), table.text("token_sha256").lower()
    person = User(table.text("name"), role, table.text("token"), digest)
    table.need("name", bool(person.name), "a person needs a name")
    if digest:
        table.need("token_sha256", _SHA256.fullmatch(digest) is not None, "must be the 64 digits of sha256sum")
        table.need("token", not person.token, "write the token or its token_sha256, not both")
    else:
        table.need("token", len(person.token) >= _SHORTEST, f"a token needs at least {_SHORTEST} characters")
    table.done()
    return person


def _destination(table: TomlTable) -> Destination:
    destination = Destination(table.text("url"), table.text("key").encode(), table.flag("local", False))
    table.need("url", destination.url.startswith(("http://", "https://")), "must begin with http:// or https://")
    table.need("key", len(destination.key) >= _SHORTEST, f"a key needs at least {_SHORTEST} characters")
    table.done()
    return destination
