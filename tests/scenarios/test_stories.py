"""Every story ends as its folder says."""

import os
from pathlib import Path

import pytest
import yaml
from story import Story

STORIES = sorted(folder.parent for folder in Path(__file__).parent.glob("*/script.yaml"))


def test_there_are_at_least_sixty_stories_and_each_is_told():
    assert len(STORIES) >= 60
    assert all((story / "README.md").read_text().strip() for story in STORIES)


@pytest.mark.parametrize("folder", STORIES, ids=lambda folder: folder.name)
async def test_the_story_ends_as_it_is_told(folder, tmp_path):
    world = yaml.safe_load((folder / "world.yaml").read_text()) or {}
    story = Story(tmp_path, world)
    await story.play(yaml.safe_load((folder / "script.yaml").read_text()))
    found = await story.outcome()
    story.service.close()
    expected = folder / "expected.yaml"
    if os.environ.get("REWRITE_STORIES"):
        expected.write_text(yaml.safe_dump(found, sort_keys=False, width=120, allow_unicode=True))
    assert found == yaml.safe_load(expected.read_text())
    assert story.world.running("web") <= 1
    assert story.world.running("db") <= 1
