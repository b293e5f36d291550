"""The few settings of the agent's file that this process needs; every other key is the agent's own business."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xenwatch.base.errors import InputError
from xenwatch.base.toml_file import read_toml
from xenwatch.base.toml_tables import TomlFile, TomlTable
from xenwatch.host.libvirt.uri import LOCAL

_ROLES = ("approver", "admin")


@dataclass(frozen=True, slots=True)
class EffectsSettings:
    """Where the agent keeps its runs, and what an administrator wrote for both."""

    state_dir: Path
    policy: Path
    access: Path
    libvirt_uri: str


@dataclass(frozen=True, slots=True)
class Approver:
    """A person who may consent, by name; the secret as written, or its SHA-256."""

    name: str
    token: str
    token_sha256: str


def read_settings(path: Path) -> EffectsSettings:
    """Of the configuration file; the defaults where it does not exist."""
    content: dict[str, Any] = {}
    text = ""
    if path.exists():
        require_ours(path)
        text, content = read_toml(path)
    top = TomlTable(content, TomlFile(path, text))
    remediation = top.table("remediation")
    return EffectsSettings(
        state_dir=Path(top.table("agent").text("state_dir", "/var/lib/xenwatch")),
        policy=Path(remediation.text("policy", "/etc/xenwatch/policy.toml")),
        access=Path(remediation.text("access", "/etc/xenwatch/access.toml")),
        libvirt_uri=top.table("sampling").text("libvirt_uri", LOCAL),
    )


def read_approvers(path: Path) -> tuple[Approver, ...]:
    """The persons of access.toml who may consent; none where there is no such file."""
    if not path.exists():
        return ()
    require_ours(path)
    text, content = read_toml(path)
    people = TomlTable(content, TomlFile(path, text)).tables("person")
    return tuple(
        Approver(table.text("name"), table.text("token"), table.text("token_sha256"))
        for table in people
        if table.text("role") in _ROLES
    )


def require_ours(path: Path) -> None:
    """InputError where somebody else than we could have written the file."""
    status = os.stat(path)  # noqa: PTH116 - of what is opened, links followed
    if status.st_uid not in (0, os.geteuid()) or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise InputError(f"{path} must belong to root, and nobody else may write it")
