"""Stories of repair end the same when the effects helper carries out what the agent decided."""

from pathlib import Path

import pytest
import yaml
from split_story import SplitStory

SCENARIOS = Path(__file__).parents[2] / "scenarios"
TOLD = (
    "clean-fails-dump-fails", "cold-move-helps", "crashed-guest-is-cleaned-and-later-started", "destroy-four-eyes",
    "diagnostics-collected", "evacuate-stops-at-the-first-failure", "hard-restart-helps",
    "hard-restart-does-not-start-what-is-not-gone", "host-cordoned", "lv-extended", "mapping-released-then-started",
    "memory-set-helps", "migrate-helps", "migrate-interrupted-away-incoming", "migrate-interrupted-suspended-none",
)  # fmt: skip
"""One or more of each action that gives orders, failures and refusals among them."""


@pytest.mark.parametrize("name", TOLD)
async def test_a_story_ends_the_same(name, tmp_path):
    folder = SCENARIOS / name
    async with SplitStory(tmp_path, yaml.safe_load((folder / "world.yaml").read_text()) or {}) as story:
        await story.play(yaml.safe_load((folder / "script.yaml").read_text()))
        found = await story.outcome()
    expected = yaml.safe_load((folder / "expected.yaml").read_text())
    assert {k: found[k] for k in ("runs", "effects", "world")} == {k: expected[k] for k in ("runs", "effects", "world")}
