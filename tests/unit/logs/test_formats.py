"""Every format against real lines: the verdict stands in JSON above each record in tests/logs/<format>/."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from xenwatch.diagnosis.matching.errors import is_error
from xenwatch.logs.format import LAST_RESORT, all_formats, recognise
from xenwatch.model.record import LogFormat, TimeHint

LINES = Path(__file__).parents[2] / "logs"


@dataclass(frozen=True)
class Story:
    """One file of lines: what it says of time, its records, and the lines that are another format's or nobody's."""

    format: LogFormat
    hint: TimeHint
    records: tuple[tuple[dict[str, Any], str], ...]
    strangers: tuple[str, ...]

    @property
    def text(self) -> str:
        return "".join(text for _, text in self.records)


def read_story(format_: LogFormat, file: Path) -> Story:
    head, *rest = file.read_text().splitlines(keepends=True)
    about = json.loads(head.removeprefix("#! "))
    blocks: list[tuple[dict[str, Any], str]] = []
    for line in rest:
        if line.startswith("# {"):
            blocks.append((json.loads(line[2:]), ""))
        else:
            blocks[-1] = blocks[-1][0], blocks[-1][1] + line
    hint = TimeHint(datetime.fromisoformat(about["near"]).timestamp(), about.get("utc_offset", 0))
    known = tuple(block for block in blocks if block[0].get("recognised", True))
    return Story(format_, hint, known, tuple(text for verdict, text in blocks if not verdict.get("recognised", True)))


STORIES = {
    f"{name}/{file.name}": read_story(format_, file)
    for name, format_ in all_formats().items()
    for file in sorted((LINES / name).glob("*.log"))
}
RECORDS = [
    pytest.param(story, verdict, text, id=f"{name}-{number}")
    for name, story in STORIES.items()
    for number, (verdict, text) in enumerate(story.records, 1)
]


@pytest.mark.parametrize("name", all_formats())
def test_every_dialect_has_lines_that_are_its_own_and_lines_that_are_not(name: str) -> None:
    stories = [story for key, story in STORIES.items() if key.startswith(f"{name}/")]
    assert any(story.records for story in stories)
    assert any(story.strangers for story in stories)


@pytest.mark.parametrize(("story", "verdict", "text"), RECORDS)
def test_a_header_is_read_as_the_verdict_says(story: Story, verdict: dict[str, Any], text: str) -> None:
    header = story.format.parse(text.rstrip("\n"), story.hint)
    if "at" in verdict:
        wanted = datetime.fromisoformat(verdict["at"]).timestamp() if verdict["at"] else None
        assert header.at == (pytest.approx(wanted, abs=1e-6) if wanted is not None else None)
    if "level" in verdict:
        assert header.level == verdict["level"]
    assert text[header.length :].startswith(verdict.get("message", ""))
    assert {name: header.fields.get(name) for name in verdict.get("fields", {})} == verdict.get("fields", {})


@pytest.mark.parametrize(("story", "verdict", "text"), RECORDS)
def test_error_level_is_told_from_the_rest(story: Story, verdict: dict[str, Any], text: str) -> None:
    """By `is_error`, the one reader of it: no format says for itself what an error looks like."""
    if "error" in verdict:
        assert is_error(text, story.format.parse(text.rstrip("\n"), story.hint).level) == verdict["error"]


@pytest.mark.parametrize(("story", "verdict", "text"), RECORDS)
def test_a_line_of_a_guest_is_told_from_the_hosts(story: Story, verdict: dict[str, Any], text: str) -> None:
    guest_line = story.format.guest_line
    assert bool(guest_line and guest_line.match(text.encode())) == verdict.get("guest_line", False)


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_a_record_is_found_whole_from_any_place_in_it(story: Story) -> None:
    data, at = story.text.encode(), 0
    for _, text in story.records:
        end = at + len(text.encode())
        for place in (at, (at + end) // 2, end - 2):
            assert story.format.bounds(data, place) == (at, end - 1)
        at = end


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_a_file_of_no_telling_name_is_recognised_by_its_content(story: Story) -> None:
    found = recognise("pasted", story.text.encode())
    assert found.format is story.format
    assert found.reason == ("text" if story.format.name == LAST_RESORT else "content")


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_a_line_that_is_not_of_the_dialect_is_not_taken_for_it(story: Story) -> None:
    for line in story.strangers:
        assert recognise("pasted", line.encode()).format is not story.format, line
