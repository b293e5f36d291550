"""The same text gives the same facts, whether a running host or a bundle holds it."""

from pathlib import Path

import pytest
from hosts.recorded import HOSTS, recorded_host

from xenwatch.facts.live import detect
from xenwatch.model.fact import Fact
from xenwatch.triage.bundle.reader import Bundle

Values = dict[tuple[str, str], object]

FAILED_SPARE = (
    "Personalities : [raid1]\n"
    "md0 : active raid1 sdc1[2](F) sdb1[1] sda1[0]\n      488384 blocks [2/2] [UU]\n\nunused devices: <none>\n"
)
MISSING_MEMBER = FAILED_SPARE.replace("sdc1[2](F) sdb1[1]", "sdb1[1](F)").replace("[2/2] [UU]", "[2/1] [U_]")


def values(facts: list[Fact]) -> Values:
    return {(fact.name, str(fact.subject)): fact.value for fact in facts}


async def live(text: str, file: str) -> Values:
    """Facts of the recorded host with one file of its /proc or one command's output replaced."""

    def edit(recorded: str) -> str:
        if file == "xl list -v" and recorded.startswith("Name") and "UUID" in recorded:
            return text
        if file == "proc/mdstat" and "proc/meminfo = " in recorded:
            kept = [line for line in recorded.splitlines() if not line.startswith("proc/mdstat = ")]
            escaped = text.replace("\n", "\\n")
            return "\n".join([*kept, f"proc/mdstat = {escaped}", ""])
        return recorded

    async with recorded_host(edit=edit) as host:
        return values(await detect(host))


def saved(folder: Path, text: str, name: str) -> Values:
    (folder / name).write_text(text)
    return values([fact for entry in Bundle([str(folder)], now=1.0).entries() for fact in entry.facts])


@pytest.mark.parametrize(
    ("mdstat", "degraded", "failed"), [(FAILED_SPARE, False, ("sdc1",)), (MISSING_MEMBER, True, ("sdb1",))]
)
async def test_a_failed_spare_degrades_no_array_and_a_missing_member_does(
    tmp_path: Path, mdstat: str, degraded: bool, failed: tuple[str, ...]
) -> None:
    for facts in (await live(mdstat, "proc/mdstat"), saved(tmp_path, mdstat, "mdstat")):
        assert facts["array.degraded", "array/md0"] is degraded
        assert facts["array.failed", "array/md0"] == failed


async def test_a_domain_without_a_letter_waits_for_a_cpu_and_is_running(tmp_path: Path) -> None:
    text = (HOSTS / "xen-4.17/commands/xl_list_-v.txt").read_text().replace("-b----", "------")
    for facts in (await live(text, "xl list -v"), saved(tmp_path, text, "xl_list_-v")):
        assert facts["domain.state", "domain/g1"] == "running"


async def test_a_domain_that_arrives_has_its_own_name_and_a_nameless_one_has_none(tmp_path: Path) -> None:
    text = (HOSTS / "xen-4.17/commands/xl_list_-v.txt").read_text()
    text = text.replace("g1     ", "g1--incoming", 1).replace("lv1   ", "(null)", 1)
    for facts in (await live(text, "xl list -v"), saved(tmp_path, text, "xl_list_-v")):
        assert facts["domain.names", "host/dom0"] == ("Domain-0", "g1")
        assert ("domain.state", "domain/(null)") not in facts


async def test_what_a_host_and_its_bundle_both_tell_is_equal(tmp_path: Path) -> None:
    """Sizes of LVM apart: what people collect has them rounded (`<1.75g`)."""
    recorded = HOSTS / "xen-4.17/commands"
    for name in ("xl_info.txt", "xl_list_-v.txt"):
        (tmp_path / name).write_text((recorded / name).read_text())
    async with recorded_host() as host:
        for name in ("meminfo", "mdstat", "mounts"):
            if (path := host.paths.proc / name).exists():
                (tmp_path / name).write_text(path.read_text())
        now = values(await detect(host))
    later = values([fact for entry in Bundle([str(tmp_path)], now=1.0).entries() for fact in entry.facts])
    assert len(later) > 20
    assert {key: now.get(key) for key in later} == later
