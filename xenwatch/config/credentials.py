"""Paths that name a credential of systemd: `credential:access.toml`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

_PREFIX = "credential:"
_FOLDER = "/run/credentials/xenwatch.service"
"""Where those of the service are, for commands that a person starts beside it."""


def with_credential(value: Any, environment: Mapping[str, str]) -> Any:
    """The value of a setting; a path that names a credential becomes the file that systemd made for it."""
    if not isinstance(value, Path) or not str(value).startswith(_PREFIX):
        return value
    name = str(value).removeprefix(_PREFIX)
    return Path(environment.get("CREDENTIALS_DIRECTORY") or _FOLDER) / Path(name).name
