"""Words that a shell completes beside commands and options: ids of incidents and rules, names of guests.

Completion runs at each press of tab: what takes long, or what cannot be read, gives no words and no message.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import click
from click.shell_completion import CompletionItem

from xenwatch.base.errors import XenwatchError

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]
_LONGEST_HELP = 70


def incident_ids(context: click.Context, parameter: click.Parameter, typed: str) -> list[CompletionItem]:  # noqa: ARG001 (click's signature)
    """Of the agent's incidents; open ones only, unless none of those fits."""
    incidents = _incidents(context)
    fitting = [incident for incident in incidents if incident["id"].startswith(typed)]
    opened = [incident for incident in fitting if incident["state"] == "open"]
    return [CompletionItem(i["id"], help=i["title"][:_LONGEST_HELP]) for i in opened or fitting]


def rule_ids(context: click.Context, parameter: click.Parameter, typed: str) -> list[CompletionItem]:  # noqa: ARG001
    """Of the rules that came with xenwatch; a rule's file has the name of its id, so none has to be read."""
    from xenwatch.diagnosis.rules.paths import rule_files  # noqa: PLC0415  only while completing
    from xenwatch.diagnosis.ruleset import shipped_rules  # noqa: PLC0415

    names = sorted(path.stem for path in rule_files([shipped_rules()]))
    return [CompletionItem(name) for name in names if name.startswith(typed)]


def guest_names(context: click.Context, parameter: click.Parameter, typed: str) -> list[CompletionItem]:  # noqa: ARG001
    """Of the guests that the policy lists, for only they can be acted on."""
    return [CompletionItem(name) for name in sorted(set(_policy_guests(context))) if name.startswith(typed)]


def _incidents(context: click.Context) -> list[dict[str, Any]]:
    from xenwatch.cli._client import Running  # noqa: PLC0415  only while completing

    with contextlib.suppress(XenwatchError, OSError):
        return Running(context.params.get("url"), context.params.get("config")).incidents()[0]
    return []


def _policy_guests(context: click.Context) -> Iterator[str]:
    from xenwatch.cli._remediation import policy_path  # noqa: PLC0415
    from xenwatch.remediation.open import read_policy  # noqa: PLC0415

    with contextlib.suppress(XenwatchError, OSError):
        yield from (guest.name for guest in read_policy(policy_path(context.params.get("policy"))).inventory.guests)
