"""Messages that are not counted, each with the reason: debug noise, and what only a developer's tree can print."""

from pathlib import Path

import yaml
from message import Message

_FOLDER = Path(__file__).parent / "not_counted"


class NotCounted:
    """Formats by component, from `not_counted/<component>.yaml`: a list of {message, reason}; `…` ends a beginning."""

    def __init__(self, component: str) -> None:
        file = _FOLDER / f"{component}.yaml"
        told = yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else []
        self._reasons = {" ".join(one["message"].split()): one["reason"] for one in told}

    def reason(self, message: Message) -> str | None:
        """Why it is not counted; None: it is."""
        told = message.key[1]
        begun = (why for known, why in self._reasons.items() if known.endswith("…") and told.startswith(known[:-1]))
        return self._reasons.get(told) or next(begun, None)
