"""What an alert says beside the guest's name reaches no command, also where the alert is believed and acted upon."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from story import CATALOGUE, Story, make_policy

from xenwatch.model.action import Alert
from xenwatch.remediation.store.triggers import trigger_of_alert

MARK = "xyzzy"
HOSTILE = f"--{MARK}; reboot; $({MARK}) `{MARK}` ../{MARK}\n{MARK}"
KEYS = sorted({
    *(name for action in CATALOGUE.values() for name in action.params), "argv", "config", "command", "path", "host",
    "instance", "target", "uuid_", "address", "service", "device", "bridge", "vg", "lv", "generatorURL", HOSTILE,
})  # fmt: skip
WHEN = {"rule": {"when": {"alert": "GuestDown"}}, "hosts": {"xen1": {"web": "absent"}}}


async def commands(story: Story, labels: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every word of every command that an alert of a guest that is down led to."""
    words: list[str] = []
    for name in ("read", "effect"):
        real = getattr(story.world, name)

        async def noted(asked, real=real):
            words.extend(asked.argv)
            return await real(asked)

        monkeypatch.setattr(story.world, name, noted)
    await story.play([{"alert": {"labels": labels}}])
    for _ in range(3):
        await story.service.tick()
        await story.service.idle()
    return words


async def test_a_believed_alert_with_hostile_labels_runs_the_very_commands_that_it_runs_without_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    ran = []
    for nth, labels in enumerate(({}, dict.fromkeys(KEYS, HOSTILE))):
        (tmp_path / str(nth)).mkdir()
        story = Story(tmp_path / str(nth), WHEN)
        ran.append(await commands(story, labels, monkeypatch))
        assert story.world.running("web") == 1, "it was not believed, so nothing was shown"
        story.service.close()
    assert ran[0] == ran[1]
    assert not [word for word in ran[1] if MARK in word]


POLICY = make_policy({})
LABEL = st.sampled_from(["domain", "name", "guest", "uuid", "instance", "alertname"]) | st.text(max_size=8)
VALUE = st.sampled_from(["web", "db", "WEB", "web ", "../web", "unknown", "dom0", "xen1", "-"]) | st.text(max_size=8)


@given(labels=st.dictionaries(LABEL, VALUE, max_size=6))
def test_labels_choose_among_the_guests_of_the_policy_and_name_nothing_of_their_own(labels: dict[str, str]):
    target = trigger_of_alert(Alert("f", "2023-11-14T22:13:20Z", True, labels), POLICY.inventory).target
    resolved = POLICY.inventory.resolve(target)
    assert resolved is None or resolved[0].name in {"web", "db", "xen1"}
    if resolved is None:
        assert (target.kind, target.name) == ("domain", "unknown")
