"""Writes docs/xenhost.md from the last results of the tier. Run it after `make xenhost`."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import story as story_files

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache" / "xenhost"
PAGE = ROOT / "docs" / "xenhost.md"
SUITES = {"bookworm": "Xen 4.17", "trixie": "Xen 4.20"}

HEAD = """# The real Xen host: last results

Written by `tests/xenhost/report.py`; see `tests/xenhost/README.md`. A row stands until its story is played
again, so that rows are of several days.
Debian's Xen and dom0 run whole under QEMU's software emulation, several times slower than a real machine; the agent was
installed in dom0 from this checkout's wheel. A story breaks the host in one way; the seconds are from the moment the
breaking command came back to the answer of `/api/v1/incidents`. Then `diagnose --live` and a bundle are asked
for their first cause, and where a story can be mended, the incident must be over soon after the repair.
"""

REPAIRS = """`run`: the agent did it by itself, as its policy allows; `ask`: one person asked and another consented;
`refused`: it was asked for and rightly not done. What had to hold at the end was seen to hold.
"""

PACKAGES = """Installed by `dpkg -i` on a host that never saw xenwatch, and run by the unit it brings. Exposure as
`systemd-analyze security` says it; the story is a guest whose bridge is missing.
"""


def keep(name: str, value: object) -> None:
    """Write results below .cache/xenhost."""
    (CACHE / name).write_text(json.dumps(value, indent=1))


def load(name: str, missing: Any) -> Any:
    """Results of an earlier run; `missing` where there was none."""
    path = CACHE / name
    return json.loads(path.read_text()) if path.exists() else missing


def page(
    results: Iterable[dict[str, Any]],
    repairs: Iterable[dict[str, Any]],
    packages: dict[str, Any],
    numbers: dict[str, Any],
) -> str:
    """The whole page."""
    parts = (_stories(list(results)), _repairs(list(repairs)), _packages(packages), _numbers(numbers))
    return "\n".join([HEAD, *(line for part in parts for line in part)])


def _stories(results: list[dict[str, Any]]) -> list[str]:
    suites = [suite for suite in SUITES if any(row["suite"] == suite for row in results)]
    lines = ["## Stories", "", "| Story | Expected |" + "".join(f" {SUITES[s]} |" for s in suites)]
    lines.append("|---|---|" + "---|" * len(suites))
    rows = {(row["suite"], row["story"]): row for row in results}
    for story in story_files.load():
        here = [rows.get((suite, story.name)) for suite in suites]
        expected = ", ".join(f"`{e.get('class') or e.get('rule')}`" for e in story.expect) or "nothing"
        lines.append(f"| {story.title} | {expected} |" + "".join(f" {_verdict(row)} |" for row in here))
    counts = (f"{SUITES[s]}: {sum(r['ok'] for r in results if r['suite'] == s)} of "
              f"{sum(r['suite'] == s for r in results)}" for s in suites)  # fmt: skip
    return [*lines, "", f"As expected: {'; '.join(counts)}.", ""]


def _verdict(row: dict[str, Any] | None) -> str:
    if row is None:
        return "not played"
    times = ", ".join("not said" if seconds is None else f"{seconds:.0f} s" for seconds in row["seconds"])
    verdict = f"{'as expected' if row['ok'] else '**no**'}{f': {times}' if times else ''}"
    return "; ".join([verdict, *(f"{way} {_same(row[way])}" for way in ("live", "bundle") if way in row), *_end(row)])


def _same(answer: dict[str, Any]) -> str:
    return "the same" if answer["ok"] else "**another**"


def _end(row: dict[str, Any]) -> list[str]:
    if not row.get("mendable"):
        return []
    return ["**still open after the repair**" if row["resolved"] is None else f"over {row['resolved']:.0f} s after"]


def _repairs(repairs: list[dict[str, Any]]) -> list[str]:
    """What was put right, step by step, and the journal of the longest one as `xenwatch audit` printed it."""
    if not repairs:
        return []
    lines = ["## Repairs", "", REPAIRS, "| Repair | Xen | Steps | Came out |", "|---|---|---|---|"]
    for row in sorted(repairs, key=lambda row: (row["suite"], row["repair"])):
        steps = "; ".join(f"{what} ({seconds:.0f} s)" for what, seconds in row["steps"])
        lines.append(f"| {row['title']} | {SUITES[row['suite']]} | {steps} | {'yes' if row['ok'] else '**no**'} |")
    longest = max(repairs, key=lambda row: (row["ok"], row["journal"].count("\n")))
    return [*lines, "", f"The journal of “{longest['title']}”:", "", "```", longest["journal"].rstrip(), "```", ""]


def _packages(packages: dict[str, Any]) -> list[str]:
    """What was measured with the package in dom0; a measure is missing where its test did not get so far."""
    if not packages:
        return []
    lines = [
        "## The Debian package in dom0",
        "",
        PACKAGES,
        "| Xen | Exposure | Numbers that agree | Story told after |",
    ]
    lines.append("|---|---|---|---|")
    for suite, seen in sorted(packages.items()):
        told = f"{seen['seconds']:.0f} s" if "seconds" in seen else "not seen"
        cells = (SUITES[suite], seen.get("exposure", "not seen"), seen.get("numbers", "not seen"), told)
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return [*lines, ""]


def _numbers(numbers: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    for suite, table in numbers.items():
        rows = table["rows"]
        agreed, families = sum(row[-1] for row in rows), len({row[0] for row in rows})
        series = ", ".join(f"{name} {count}" for name, count in table["by_domain"].items())
        counted = f"{agreed} of {len(rows)} numbers of {families} families agree with the tools"
        lines += [
            f"## Numbers on {SUITES[suite]}", "",
            f"{counted}, read between two scrapes. Series by domain: {series}; {table['series']} in all.", "",
            "| Family | Labels | Tool | It says | xenwatch before | after | Agrees |", "|---|---|---|---|---|---|---|",
        ]  # fmt: skip
        lines += [_number(row) for row in _one_a_family(rows)]
        lines.append("")
    return lines


def _one_a_family(rows: list[list[Any]]) -> list[list[Any]]:
    """The first of each family, and every one that disagrees."""
    seen: set[str] = set()
    return [row for row in rows if not row[-1] or (row[0] not in seen and not seen.add(row[0]))]  # type: ignore[func-returns-value]


def _number(row: list[Any]) -> str:
    family, labels, tool, value, before, after, agrees = row
    shown = " ".join(f"{name}={text}" for name, text in labels.items())
    cells = ("none" if number is None else f"{number:.10g}" for number in (value, before, after))
    return f"| `{family}` | {shown} | {tool} | {' | '.join(cells)} | {'yes' if agrees else '**no**'} |"


if __name__ == "__main__":
    PAGE.write_text(
        page(load("results.json", []), load("repairs.json", []), load("package.json", {}), load("numbers.json", {}))
    )
