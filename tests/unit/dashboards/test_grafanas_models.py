"""Grafana's own models (grafana-foundation-sdk, made by Grafana from its schemas) know all that the dashboards say.

Each dashboard is read into those models and written again. What does not come back is a key that Grafana's panel, query
or variable of that type does not have; a choice that is no member of its enumeration is a word Grafana does not know.
"""

import copy
import enum
import json
import re
import typing
from collections.abc import Iterator
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import dashboard as model
from monitoring.names import ROOT

BOARDS = {path.stem: json.loads(path.read_text()) for path in sorted((ROOT / "dashboards/out").glob("*.json"))}
BESIDE = {
    r"\.annotations\.list\[\d+\]\.(step|tagKeys|titleFormat|textFormat|builtIn)": "the data source reads it",
    r"\.templating\.list\[\d+\]\.definition": "what the editor of variables shows of the query",
    r"\.panels\[\d+\]\.targets\[\d+\]\.query": "a copy of expr, which grafanalib writes for other data sources",
}
"""What the models have no field for, and who reads it."""


@pytest.fixture(scope="module", autouse=True)
def _panels_and_queries_by_type() -> None:
    register_default_plugins()


def lost(board: dict[str, Any]) -> set[str]:
    """Where the dashboard says something that the models do not carry."""
    again = json.loads(JSONEncoder().encode(model.Dashboard.from_json(copy.deepcopy(board))))
    rows = {f".panels[{number}]" for number, panel in enumerate(board["panels"]) if panel["type"] == "row"}
    found = set(_missing(board, again, ""))
    return {where for where in found if where.rpartition(".")[0] not in rows and not _beside(where)}


def _beside(where: str) -> bool:
    return any(re.fullmatch(pattern, where) for pattern in BESIDE)


def _missing(said: Any, again: Any, where: str) -> Iterator[str]:
    if isinstance(said, dict) and isinstance(again, dict):
        for key, value in said.items():
            if key in again:
                yield from _missing(value, again[key], f"{where}.{key}")
            elif value not in (None, [], {}, False, "", 0):
                yield f"{where}.{key}"
    elif isinstance(said, list) and isinstance(again, list) and len(said) == len(again):
        for number, pair in enumerate(zip(said, again, strict=True)):
            yield from _missing(*pair, f"{where}[{number}]")
    elif said != again:
        yield where


def unknown_words(thing: object) -> Iterator[str]:
    """Values of choices that Grafana's enumerations do not have."""
    if isinstance(thing, list | dict):
        for one in thing.values() if isinstance(thing, dict) else thing:
            yield from unknown_words(one)
    elif type(thing).__module__.startswith("grafana_foundation_sdk.models") and not isinstance(thing, enum.Enum):
        hints = typing.get_type_hints(type(thing))
        for name, value in vars(thing).items():
            yield from _not_members(hints.get(name), name, value)
            yield from unknown_words(value)


def _not_members(hint: object, name: str, value: object) -> Iterator[str]:
    choices = [one for one in (hint, *typing.get_args(hint)) if isinstance(one, type) and issubclass(one, enum.Enum)]
    if choices and isinstance(value, str) and value not in {member.value for one in choices for member in one}:
        yield f"{name} = {value}"


@pytest.mark.parametrize("name", sorted(BOARDS))
def test_grafanas_models_carry_all_that_the_dashboard_says(name: str):
    assert lost(BOARDS[name]) == set()


@pytest.mark.parametrize("name", sorted(BOARDS))
def test_every_choice_is_one_that_grafana_has(name: str):
    assert list(unknown_words(model.Dashboard.from_json(copy.deepcopy(BOARDS[name])))) == []


def _panel_of_type(board: dict[str, Any], kind: str) -> dict[str, Any]:
    return next(panel for panel in board["panels"] if panel["type"] == kind)


def test_a_misspelt_key_of_a_panel_is_noticed():
    board = copy.deepcopy(BOARDS["host"])
    _panel_of_type(board, "timeseries")["options"]["legendd"] = {"showLegend": True}
    assert [where.rpartition(".")[2] for where in lost(board)] == ["legendd"]


def test_a_choice_that_grafana_does_not_have_is_noticed():
    board = copy.deepcopy(BOARDS["host"])
    _panel_of_type(board, "timeseries")["options"]["tooltip"]["mode"] = "sideways"
    assert list(unknown_words(model.Dashboard.from_json(board))) == ["mode = sideways"]
