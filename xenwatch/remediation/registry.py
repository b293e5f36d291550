"""All actions there are, found in the actions folder; nothing else can be done."""

from collections.abc import Mapping

from xenwatch.base.errors import XenwatchError
from xenwatch.base.registry import load_parts
from xenwatch.model.action import Risk
from xenwatch.remediation import actions
from xenwatch.remediation.action import Action


def load_catalogue() -> Mapping[str, Action]:
    """By name; XenwatchError where a file's action is named otherwise than the file."""
    found = load_parts(actions, "ACTION", Action)
    wrong = [module for module, action in found.items() if action.name != module]
    if wrong:
        raise XenwatchError(f"actions named otherwise than their files: {', '.join(wrong)}")
    return found


def risks(catalogue: Mapping[str, Action]) -> dict[str, Risk]:
    """What the policy is checked against."""
    return {name: action.risk for name, action in catalogue.items()}
