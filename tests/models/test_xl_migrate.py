"""I5: however a migration is interrupted, the recovery leaves exactly one running copy, and never two on the way."""

import pytest
from story import Story
from xl_migrate import Recovering, Xl, explore, recovery_steps, steps

from xenwatch.remediation.action import Context
from xenwatch.remediation.actions.recover_interrupted_migration import _processes
from xenwatch.remediation.machine.presence import ListedDomain
from xenwatch.remediation.migration_recovery import MigrationEnds, next_move, source_end, target_end

XL = explore(Xl(), steps)
QUIET = sorted({(s.source, s.target) for s in XL if s.sender == s.receiver == "x"})
SHARED = {"placement": ["xen1", "xen2"], "shared_storage": True, "lease": "none"}


def test_xl_itself_never_runs_a_guest_twice():
    assert len(XL) > 100
    assert not [s for s in XL if s.source == s.target == "run"]


def test_i05_with_both_ends_dead_first_no_state_has_two_copies_or_none():
    states = explore(Recovering(Xl()), lambda s: recovery_steps(s, fence_first=True))
    assert len(states) > 300
    assert not [s for s in states if s.xl.source == s.xl.target == "run"]
    assert not [s for s in states if s.xl.source == s.xl.target == "none"]
    ends = {(s.xl.source, s.xl.target, s.move) for s in states if s.at == "end"}
    assert ends == {("run", "none", "done"), ("none", "run", "done")}


def test_i05_the_model_finds_what_looking_without_killing_first_would_do():
    states = explore(Recovering(Xl()), lambda s: recovery_steps(s, fence_first=False))
    assert [s for s in states if s.xl.source == s.xl.target == "run"]
    assert [s for s in states if s.xl.source == s.xl.target == "none"]


@pytest.mark.parametrize(("source", "target"), QUIET)
async def test_i05_the_real_recovery_brings_every_quiet_state_of_the_model_in_order(tmp_path, source, target):
    story = Story(tmp_path, {"web": SHARED})
    story.world.leave("web", source, target)
    recover = {"action": "recover_interrupted_migration", "params": {"to": "xen2"}}
    await story.play([{"request": recover}, {"approve": "human:bob"}, {"tick": 1}])
    assert [run.state for run in await story.service.runs()] == ["succeeded"]
    assert story.world.running("web") == 1
    assert len(story.world.seen()) == 1
    story.service.close()


@pytest.mark.parametrize(
    "both",
    [
        MigrationEnds("run", "run"),
        MigrationEnds("none", "none"),
        MigrationEnds("unclear", "none"),
        MigrationEnds("run", "unclear"),
    ],
)
def test_what_the_handshake_cannot_leave_is_for_a_person(both):
    assert next_move(both) == "person"


@pytest.mark.parametrize(
    ("words", "pids"),
    [
        ("xl migrate web xen2", [50]),
        ("/usr/sbin/xl migrate -s ssh -oBatchMode=yes web xen2", [50]),
        ("xl -v migrate web xen2", [50]),
        ("xl migrate db xen2", []),
        ("xl migrate-receive", [50]),
        ("/usr/lib/xen-4.17/bin/libxl-save-helper --restore-domain 0 3", [50]),
        ("systemd-run --wait -- xl migrate web xen2", []),
        ("vi migrate web xen2", []),
        ("grep xl migrate web xen2", []),
    ],
)
async def test_only_the_processes_of_this_very_migration_are_killed(tmp_path, words, pids):
    story = Story(tmp_path, {"web": SHARED, "hosts": {"xen1": {"processes": {50: words}}}})
    guest = story.service.policy.inventory.guests[0]
    context = Context(story.world, story.clock, story.service.policy, guest.subject, guest, {"to": "xen2"})
    assert await _processes(context, "") == pids
    story.service.close()


def row(name: str, state: str) -> ListedDomain:
    return ListedDomain(name, 7, 512, 1, state, 1.0, "u")


@pytest.mark.parametrize(
    ("rows", "source", "target"),
    [
        ([], "none", "none"),
        ([row("web", "-b----")], "run", "run"),
        ([row("web", "r-----")], "run", "run"),
        ([row("web", "------")], "run", "run"),
        ([row("web", "---s--")], "suspended", "unclear"),
        ([row("web--migratedaway", "---s--")], "away", "unclear"),
        ([row("web--migratedaway", "-b----")], "unclear", "unclear"),
        ([row("web--incoming", "--p---")], "unclear", "incoming"),
        ([row("web", "--p---")], "unclear", "paused"),
        ([row("web", "----c-")], "unclear", "unclear"),
        ([row("web", "-b----"), row("web--incoming", "--p---")], "unclear", "unclear"),
        ([row("renamed", "-b----")], "unclear", "unclear"),
    ],
)
def test_rows_are_read_as_ends(rows, source, target):
    assert source_end(rows, "web") == source
    assert target_end(rows, "web") == target
