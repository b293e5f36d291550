"""What an assistant may have checked in advance: whether a guest could start or migrate. Nothing is started."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xenwatch.base.errors import InputError
from xenwatch.cli._mcp.untrusted import marked
from xenwatch.cli._preflight import migratable, policy_or_none, startable
from xenwatch.config.sections import Config
from xenwatch.remediation.action import Finding
from xenwatch.remediation.checks import worst

_FOLDER = Path("/etc/xen")
_NAME = re.compile(r"[\w+@-][\w.+@-]{0,127}")


class Planning:
    """By name only: an assistant names no file, so it cannot have one read that is no guest's configuration."""

    def __init__(self, config: Config, folder: Path = _FOLDER) -> None:
        self._policy, self._folder = config.remediation.policy, folder

    def start(self, guest: str) -> dict[str, Any]:
        """Each check of a start, and the worst outcome."""
        policy = policy_or_none(self._policy)
        listed = next((Path(one.config) for one in policy.inventory.guests if one.name == guest and one.config), None)
        return _said(startable(policy, listed or self._configuration(guest)))

    def migrate(self, guest: str, target: str) -> dict[str, Any]:
        """Each check of a migration, and the worst outcome."""
        return _said(migratable(self._policy, guest, target))

    def _configuration(self, guest: str) -> Path:
        places = [self._folder / f"{guest}.cfg", self._folder / guest] if _NAME.fullmatch(guest) else []
        for place in places:
            if place.is_file():
                return place
        raise InputError(f"the policy has no guest of that name, and {self._folder} no configuration of it")


def _said(findings: Sequence[Finding]) -> dict[str, Any]:
    return {
        "outcome": worst(findings),
        "checks": [
            {"outcome": one.outcome, **marked({"what": one.check, "detail": one.detail, "source": one.source})}
            for one in findings
        ],
    }
