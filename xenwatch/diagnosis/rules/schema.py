"""The format of a rule file as a JSON Schema: the loader checks with it, editors complete with it."""

import json
from typing import Any

from xenwatch.diagnosis.operations.phases import PHASES
from xenwatch.model.subject import KINDS

Schema = dict[str, Any]

_NAME = {"type": "string", "pattern": r"^[a-z0-9][a-z0-9._-]*$"}
_DURATION = {"type": "string", "format": "duration"}
_TEXT = {"type": "string"}
_OFFSET = {"type": "string", "format": "offset"}
_CEL = {"type": "string", "format": "cel"}
_TEXTS = {"type": "array", "items": _TEXT}


def _thing(about: str, properties: Schema, required: tuple[str, ...] = ()) -> Schema:
    return {
        "type": "object",
        "description": about,
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _typed(kind: str, about: str, properties: Schema, required: tuple[str, ...]) -> Schema:
    return _thing(about, {"type": {"const": kind}, **properties}, ("type", *required))


_CONDITION_REF = {"$ref": "#/$defs/condition"}
_CONDITIONS = {"type": "array", "items": _CONDITION_REF, "minItems": 1}

CONDITIONS: dict[str, Schema] = {
    "event": _typed("event", "Such an event came.", {"event": _NAME, "where": _CEL}, ("event",)),
    "count": _typed(
        "count",
        "At least N of them came within the time.",
        {"event": _NAME, "at_least": {"type": "integer", "minimum": 1}, "within": _DURATION, "by": _TEXTS},
        ("event", "at_least", "within"),
    ),
    "sequence": _typed(
        "sequence",
        "These events came in this order.",
        {"events": {"type": "array", "items": _NAME, "minItems": 2}, "within": _DURATION},
        ("events", "within"),
    ),
    "absent": _typed(
        "absent",
        "`after` came and `expect` did not follow in time.",
        {"after": _NAME, "expect": _NAME, "within": _DURATION},
        ("after", "expect", "within"),
    ),
    "metric": _typed(
        "metric",
        "A metric's value, or its increase a second, satisfies `check` for so long.",
        {
            "metric": _TEXT,
            "labels": {"type": "object", "additionalProperties": _TEXT},
            "check": _CEL,
            "for": _DURATION,
            "rate": _DURATION,
        },
        ("metric", "check"),
    ),
    "fact": _typed(
        "fact",
        "A fact about the host satisfies `check`.",
        {
            "fact": _TEXT,
            "check": _CEL,
            "missing": {"enum": ["hold", "fail"]},
            "compute": {"type": "object", "additionalProperties": _CEL},
        },
        ("fact", "check"),
    ),
}

_SIGNATURE = _thing(
    "Text that means something.",
    {
        "event": _NAME,
        "streams": {"type": "array", "items": _NAME, "minItems": 1},
        "regex": {"type": "string", "format": "regex"},
        "where": _CEL,
        "exception": {
            "type": "boolean",
            "description": "It holds an exception: `exception`, `message`, `frame`, `call` become fields.",
        },
        "template": _TEXT,
        "versions": _TEXT,
        "source": _TEXT,
    },
    ("regex",),
)

_LOOK = _thing(
    "A fact that is told with the diagnosis; it may decide its class, never whether the diagnosis is made.",
    {
        "fact": _TEXT,
        "of": _TEXT,
        "check": _CEL,
        "compute": {"type": "object", "additionalProperties": _CEL},
        "says": _TEXT,
        "decide": {**_NAME, "description": "The class of the diagnosis where `check` holds."},
    },
    ("fact", "says"),
)

_HYPOTHESIS = _thing(
    "What may be behind the symptom; the first that something supports gives class and cause.",
    {
        "class": _NAME,
        "cause": _TEXT,
        "tell": {"type": "string", "description": "How a person finds out, where nothing decided it."},
        "where": _CEL,
        "when": _CONDITION_REF,
    },
    ("class",),
)

_VALUE = {"type": ["string", "number", "boolean", "array"]}
GIVEN: dict[str, Schema] = {
    "line": _thing(
        "One or more records of a format.",
        {"stream": _NAME, "line": _TEXT, "at": _OFFSET, "file": _TEXT},
        ("stream", "line"),
    ),
    "fact": _thing("Something known.", {"fact": _TEXT, "value": _VALUE, "subject": _TEXT}, ("fact", "value")),
    "metric": _thing(
        "One number of a sampling cycle.",
        {
            "metric": _TEXT,
            "labels": {"type": "object", "additionalProperties": _TEXT},
            "value": {"type": "number"},
            "at": _OFFSET,
        },
        ("metric", "value"),
    ),
    "advance": _thing("Time passes.", {"advance": _DURATION}, ("advance",)),
}

_TEST = _thing(
    "A story, and the incidents of this rule that it must give.",
    {
        "name": _TEXT,
        "given": {"type": "array", "items": {"$ref": "#/$defs/given"}, "minItems": 1},
        "expect": {
            "type": "array",
            "items": _thing(
                "An incident.",
                {
                    "subject": _TEXT,
                    "fields": {"type": "object", "additionalProperties": _TEXT},
                    "severity": {"enum": ["info", "warning", "error", "critical"]},
                    "says": {"type": "array", "items": _TEXT},
                    "unchecked": {"type": "array", "items": _TEXT},
                    "class": _NAME,
                    "cause": {"type": "array", "items": _TEXT},
                },
            ),
        },
    },
    ("given", "expect"),
)

RULE: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "xenwatch rule",
    **_thing(
        "One known failure of a Xen host.",
        {
            "id": {**_NAME, "description": "The file's name without .yaml."},
            "aliases": {"type": "array", "items": _NAME, "description": "Ids that this rule had before."},
            "class": {**_NAME, "description": "The kind of root cause."},
            "title": _TEXT,
            "unknown_kernel": {**_TEXT, "description": "The title where nobody can tell which kernel wrote the line."},
            "severity": {"enum": ["info", "warning", "error", "critical"]},
            "status": {"enum": ["experimental", "stable", "test", "deprecated"]},
            "depth": {"enum": ["cause", "mechanism", "symptom"]},
            "subject": {"enum": list(KINDS)},
            "subject_name": {"type": ["string", "array"], "items": _TEXT, "minItems": 1},
            "signatures": {"type": "array", "items": _SIGNATURE},
            "when": _CONDITION_REF,
            "look": {"type": "array", "items": _LOOK},
            "hypotheses": {"type": "array", "items": _HYPOTHESIS},
            "explains": _TEXTS,
            "reach": {"enum": ["subject", "host"]},
            "phase": {"enum": list(PHASES), "description": "The phase of an operation to which it belongs."},
            "window": _DURATION,
            "impact": _TEXT,
            "cause": _TEXT,
            "noise": _TEXT,
            "fallback": {"type": "boolean"},
            "verify": _TEXTS,
            "remedy": _TEXTS,
            "actions": {"type": "array", "items": _TEXT},
            "resolve": _thing("When it counts as over.", {"quiet_for": _DURATION, "on": _TEXTS}),
            "references": _TEXTS,
            "tests": {"type": "array", "items": _TEST},
        },
        ("id", "class", "title", "severity"),
    ),
    "$defs": {
        "condition": {
            "oneOf": [
                _thing("Each of them holds.", {"all": _CONDITIONS}, ("all",)),
                _thing("At least one of them holds.", {"any": _CONDITIONS}, ("any",)),
                *CONDITIONS.values(),
            ]
        },
        "given": {"oneOf": list(GIVEN.values())},
    },
}  # fmt: skip


def schema_text() -> str:
    """The schema as `docs/rule.schema.json` holds it."""
    return json.dumps(RULE, indent=2, ensure_ascii=False) + "\n"
