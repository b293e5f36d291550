"""A command does not leave to the operator what the rule has captured: `/dev/{array}`, not `/dev/ARRAY`."""

import re
from collections.abc import Iterator

from xenwatch.base.errors import Problem
from xenwatch.diagnosis.authoring.lint import Library, Lint, problem
from xenwatch.diagnosis.authoring.rule_texts import steps
from xenwatch.diagnosis.rules.rule import Rule
from xenwatch.diagnosis.rules.templates import capture_names

_NAMES = {
    "ARRAY": "array", "BDF": "bdf", "BRIDGE": "bridge", "DEVICE": "device", "DOMAIN": "domain", "DOMID": "domid",
    "LV": "lv", "MD": "array", "PATH": "path", "PID": "pid", "PORTAL": "portal", "SERVER": "server",
    "TARGET": "target", "VG": "vg", "VIF": "vif",
}  # fmt: skip
"""What an author writes in capitals for the operator to fill in, and the field of the same meaning."""

_PLACEHOLDER = re.compile(rf"(?<![\w$%.=-])(?:{'|'.join(_NAMES)})(?![\w=:-])")


def _check(library: Library) -> Iterator[Problem]:
    for rule in library.rules:
        fields = _fields(rule)
        for key, text in steps(rule):
            for word in dict.fromkeys(_PLACEHOLDER.findall(text)):
                if (name := _NAMES[word]) in fields:
                    yield problem(rule, key, f"leaves {word} to the operator; write {{{name}}}")


def _fields(rule: Rule) -> frozenset[str]:
    subject = {"domain", "domid"} if rule.subject == "domain" else {rule.subject} - {"host"}
    return capture_names(rule) | subject


LINT = Lint("commands are filled in as far as is known", _check)
