"""docs/checks.md: the standing checks of `xenwatch check host`, made from the files of checks/."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from failures import cell, plain, steps

from xenwatch.diagnosis.correlation.conditions import parts_of
from xenwatch.diagnosis.correlation.standing import checks_among
from xenwatch.diagnosis.rules.cache import load_library
from xenwatch.diagnosis.rules.rule import FactCondition, Rule
from xenwatch.model.diagnosis import SEVERITIES
from xenwatch.model.headings import CAUSE, FIX, IMPACT, VERIFY

ROOT = Path(__file__).resolve().parents[2]
PAGE = "docs/checks.md"
_HEAD = """# Checks of a host that is well

<!-- Generated from checks/ by `make docs`; a test keeps it current. -->

`xenwatch check host` looks at a host on which nothing is down for what will fail one day: at the next boot, the next
full disk, the next crash. It changes nothing.

    xenwatch check host                              # this host, as root
    xenwatch check host xen1.tar.gz                  # what xenwatch collect wrote, a sosreport, a folder
    xenwatch check host --severity warning --format json

Exit code: 0 if all is well, 1 if something was found, 2 if nothing could be checked (no dom0, a bundle of logs alone).
A check that needs what nobody knows is listed under "could not be checked", with what is missing and what tells it.
What does not apply is well: a host without xend has no relocation port.

A check is a file of `checks/` in the form of a [rule](writing-rules.md) that asks for [facts](facts.md) alone, with its
tests inside (`xenwatch rules test checks/`). Unlike a rule it opens no incident: `diagnose` and the agent's incidents
stay silent about it. The agent makes these checks two minutes after its start and then every hour, shows them
on its page `/checks`, and tells them as one metric,
`xenwatch_host_check{check,severity}` (1: found, 0: well, absent: could not be made), with one alert for
each host, [XenHostChecksFailed](runbooks/hypervisor.md#xenhostchecksfailed), for what is more than an info.
"""
_ALSO = """## Known failures that stand on a host already

`check host` also runs the rules that facts alone can decide. These do open incidents, so they are not in the metric."""
_NOT = """## What is not checked

- Chains of VHD files (XenServer, XCP-ng): no fact tells their length; the rules for SMlog tell when coalescing fails.
- PAE: nothing on the host says how wide the kernel inside of a guest's disk is.
- Which advisories are open within a supported release: packages of distributions fix them without another version, and
  live patches without a restart. The advisories of the distribution tell.
- The firewall in front of the relocation port.
- With `[sampling] ssh` the files of the other host are not read: run the command there, or on a bundle of it."""


def page() -> str:
    """The whole page."""
    checks = sorted(load_library([ROOT / "checks"], None), key=_order)
    also = sorted(checks_among(load_library([ROOT / "rules"], None)), key=_order)
    lines = [_HEAD, *_table(checks, lambda rule: f"#{rule.id}")]
    for rule in checks:
        lines += ["", *_section(rule)]
    lines += ["", _ALSO, "", *_table(also, lambda rule: f"failures/{rule.id}.md"), "", _NOT]
    return "\n".join(lines) + "\n"


def _order(rule: Rule) -> tuple[int, str]:
    return -SEVERITIES.index(rule.severity), rule.id


def _table(rules: Iterable[Rule], link: Callable[[Rule], str]) -> Iterator[str]:
    yield "| Check | Severity | What it finds | Facts |"
    yield "|---|---|---|---|"
    for rule in rules:
        facts = ", ".join(f"`{name}`" for name in _facts(rule))
        yield f"| [`{rule.id}`]({link(rule)}) | {rule.severity} | {cell(rule.title)} | {facts} |"


def _facts(rule: Rule) -> list[str]:
    asked = [part for part in parts_of(rule.when) if isinstance(part, FactCondition)]
    return list(dict.fromkeys(name for part in asked for name in (part.fact, *part.further_facts)))


def _section(rule: Rule) -> Iterator[str]:
    yield f"## {rule.id}"
    yield ""
    yield f"{plain(rule.title)}."
    for heading, parts in (
        (IMPACT.title, [plain(rule.impact)]),
        (CAUSE.title, [plain(rule.cause)]),
        (VERIFY.title, list(steps(rule.verify))),
        (FIX.title, list(steps(rule.remedy))),
        ("References", [", ".join(plain(one) for one in rule.references)]),
    ):
        yield from ("", f"**{heading}**")
        for part in parts:
            yield from ("", part)
