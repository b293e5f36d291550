"""Checks plain values against the small part of JSON Schema that rule files need, with messages for people."""

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Finding = tuple[str, str]
"""Dotted path of the key, and what is wrong with it."""

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,), "array": (list,), "string": (str,), "number": (int, float), "integer": (int,),
    "boolean": (bool,),
}  # fmt: skip
_WORDS = {"object": "a mapping", "array": "a list", "string": "text", "integer": "a whole number",
          "number": "a number", "boolean": "true or false"}  # fmt: skip


class ShapeReader:
    """`formats` maps a `format` name to a function that raises ValueError where a text does not have it."""

    def __init__(self, schema: Mapping[str, Any], formats: Mapping[str, Callable[[str], object]]) -> None:
        self._schema, self._formats = schema, formats

    def findings(self, value: Any) -> Iterator[Finding]:
        """Everything wrong with `value`."""
        yield from self._check(value, self._schema, "")

    def _check(self, value: Any, schema: Mapping[str, Any], path: str) -> Iterator[Finding]:
        if "$ref" in schema:
            schema = self._schema["$defs"][schema["$ref"].rsplit("/", 1)[1]]
        if "oneOf" in schema:
            yield from self._one_of(value, schema["oneOf"], path)
        elif "enum" in schema or "const" in schema:
            yield from _choice(value, schema.get("enum") or [schema["const"]], path)
        elif not _is(value, schema.get("type", [])):
            kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
            yield path, f"must be {' or '.join(_WORDS[k] for k in kinds)}, not {_shown(value)}"
        elif isinstance(value, dict):
            yield from self._mapping(value, schema, path)
        elif isinstance(value, list):
            yield from self._list(value, schema, path)
        else:
            yield from self._scalar(value, schema, path)

    def _mapping(self, value: dict[str, Any], schema: Mapping[str, Any], path: str) -> Iterator[Finding]:
        properties: Mapping[str, Any] = schema.get("properties", {})
        others = schema.get("additionalProperties", True)
        for key, inner in value.items():
            place = f"{path}.{key}" if path else key
            if key in properties:
                yield from self._check(inner, properties[key], place)
            elif others is False:
                yield place, f"unknown key{_suggestion(key, properties)}"
            elif isinstance(others, dict):
                yield from self._check(inner, others, place)
        for key in schema.get("required", ()):
            if key not in value:
                yield path, f"key {key!r} is missing"

    def _list(self, value: list[Any], schema: Mapping[str, Any], path: str) -> Iterator[Finding]:
        if len(value) < schema.get("minItems", 0):
            yield path, f"needs at least {schema['minItems']}"
        for index, item in enumerate(value):
            yield from self._check(item, schema.get("items", {}), f"{path}[{index}]")

    def _scalar(self, value: Any, schema: Mapping[str, Any], path: str) -> Iterator[Finding]:
        if "minimum" in schema and value < schema["minimum"]:
            yield path, f"must be at least {schema['minimum']}"
        if "pattern" in schema and not re.search(schema["pattern"], value):
            yield path, f"{_shown(value)} is not a name: use small letters, digits, '.', '_' and '-'"
        if "format" in schema:
            try:
                self._formats[schema["format"]](value)
            except ValueError as error:
                yield path, str(error)

    def _one_of(self, value: Any, choices: list[Mapping[str, Any]], path: str) -> Iterator[Finding]:
        if not isinstance(value, dict):
            yield path, f"must be a mapping, not {_shown(value)}"
            return
        chosen = [c for c in choices if _speaks_of(value, c)]
        if chosen:
            yield from self._check(value, chosen[0], path)
        else:
            yield path, f"is none of: {'; '.join(_described(c) for c in choices)}"


def _speaks_of(value: dict[str, Any], schema: Mapping[str, Any]) -> bool:
    kind = schema["properties"].get("type", {}).get("const")
    return value.get("type") == kind if kind else schema["required"][0] in value


def _described(schema: Mapping[str, Any]) -> str:
    kind = schema["properties"].get("type", {}).get("const")
    return f"type: {kind}" if kind else f"{schema['required'][0]}: …"


def _choice(value: Any, choices: list[Any], path: str) -> Iterator[Finding]:
    if value not in choices:
        yield path, f"{_shown(value)} is not one of {', '.join(map(str, choices))}{_suggestion(value, choices)}"


def _is(value: Any, kinds: str | list[str]) -> bool:
    if not kinds:
        return True
    wanted = [kinds] if isinstance(kinds, str) else kinds
    if isinstance(value, bool):
        return "boolean" in wanted
    return any(isinstance(value, _TYPES[kind]) for kind in wanted)


def _suggestion(word: Any, candidates: Any) -> str:
    near = difflib.get_close_matches(str(word), [str(k) for k in candidates], n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"  # noqa: PLR2004  a message stays one line
