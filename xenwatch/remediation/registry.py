"""All actions, found in the actions folder; nothing else can be done."""

from collections.abc import Mapping

from xenwatch.base.errors import XenwatchError
from xenwatch.base.registry import load_parts
from xenwatch.model.action import Risk
from xenwatch.remediation import actions
from xenwatch.remediation.action import Action


def load_catalogue() -> Mapping[str, Action]:
    """Actions by name; XenwatchError where an action does not have the name of its file."""
    catalogue = load_parts(actions, "ACTION", Action)
    wrong = [module for module, action in catalogue.items() if action.name != module]
    if wrong:
        raise XenwatchError(f"these actions do not have the names of their files: {', '.join(wrong)}")
    return catalogue


def risks(catalogue: Mapping[str, Action]) -> dict[str, Risk]:
    """What the policy is checked against."""
    return {name: action.risk for name, action in catalogue.items()}
