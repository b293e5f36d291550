"""Each grammar has one reader: all who read the same text get the same answer, and no second reader stands elsewhere.

Names of rotated files: tests/unit/logs/test_rotated_name.py. Facts, live and from a bundle: tests/unit/facts/.
"""

import json
import re
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
from hosts.recorded import recorded_host

from xenwatch.base.errors import ConfigError
from xenwatch.base.text_shape import text_shape
from xenwatch.config.access import load_access
from xenwatch.config.listeners import refuse_open_auto
from xenwatch.config.loader import load_config
from xenwatch.diagnosis.matching.errors import UnreadErrors
from xenwatch.facts.definitions import listed_domains, own_memory
from xenwatch.facts.lvm import full_report, volume_groups
from xenwatch.host.exec.runner import Completed
from xenwatch.host.exec.ssh import ssh_options
from xenwatch.host.parse.lvm import parse_report
from xenwatch.host.toolstack.ssh import SshRunner
from xenwatch.host.toolstack.xl import parse_list
from xenwatch.logs.format import all_formats
from xenwatch.model.action import RunState
from xenwatch.model.record import LogRecord, Position, Source
from xenwatch.model.serialize import subject_from_json, subject_json
from xenwatch.model.subject import Subject
from xenwatch.remediation.actions.lv_extend import _mib
from xenwatch.remediation.machine import domain_commands
from xenwatch.remediation.machine.local import LocalMachine
from xenwatch.remediation.machine.port import Answer
from xenwatch.remediation.machine.presence import parse_listing
from xenwatch.remediation.machine.ssh import SshTransport
from xenwatch.remediation.open import read_policy
from xenwatch.remediation.policy.inventory import Guest, ManagedHost, ManagedInventory
from xenwatch.sampling.collectors import dom0, lvm

SOURCES = Path(__file__).parents[2] / "xenwatch"
UUID = "5a3f4f6e-1111-4000-8000-00000000000"


class Prints:
    """Every program prints this text; what was started is kept."""

    def __init__(self, text: str) -> None:
        self.text, self.started = text, list[tuple[str, ...]]()

    async def run(self, argv, deadline, *, limit=0) -> Completed:
        self.started.append(tuple(argv))
        return Completed(tuple(argv), 0, self.text.encode(), b"")

    async def read(self, *argv: str) -> Answer:
        self.started.append(argv)
        return Answer(0, self.text)


def written_in(pattern: str) -> set[str]:
    """The modules of xenwatch that have such text."""
    return {
        str(p.relative_to(SOURCES)) for p in SOURCES.rglob("*.py") if re.search(pattern, p.read_text(), re.MULTILINE)
    }


XL_LIST = f"""\
Name                                        ID   Mem VCPUs      State   Time(s)   UUID                            Reason-Code  Security Label
Domain-0                                     0  1024     2     r-----     132.5 00000000-0000-0000-0000-000000000000        -                 -
web server                                   3   512     1     -b----      17.2 {UUID}1        -                 -
g2--incoming                                 4   256     4     --p---       0.0 {UUID}2        -                 -
db                                           7  2048     1     ----c-       3.9 {UUID}3        3                 -
"""  # noqa: E501 - as xl prints it


def test_the_toolstack_the_facts_and_remediation_read_one_xl_list_alike() -> None:
    by_toolstack = {d.name: (d.domid, d.memory_bytes, d.vcpus, d.uuid) for d in parse_list(XL_LIST)}
    listing = parse_listing(Answer(0, XL_LIST))
    assert listing is not None
    by_remediation = {d.name: (d.domid, d.memory_mib * 1024**2, d.vcpus, d.uuid) for d in listing}
    assert by_remediation == by_toolstack
    assert set(by_toolstack) == {"Domain-0", "web server", "g2--incoming", "db"}
    facts = [(s.name, name, value, s.domid, s.uuid) for name, s, value in listed_domains(XL_LIST)]
    for name, (domid, memory, vcpus, uuid) in by_toolstack.items():
        plain = name.removesuffix("--incoming")  # a fact is of the guest that arrives
        assert (plain, "domain.memory_bytes", memory, domid, uuid) in facts
        assert (plain, "domain.vcpus", vcpus, domid, uuid) in facts


def test_remediation_refuses_a_line_that_the_one_reader_passes_over() -> None:
    """It is stricter by checking what was read, not by reading in another way."""
    garbled = XL_LIST + "xl: a warning between the rows\n"
    assert len(parse_list(garbled)) == 4
    assert parse_listing(Answer(0, garbled)) is None


LVM_JSON = json.dumps(
    {
        "report": [
            {
                "vg": [{"vg_name": "vg0", "vg_size": "1073741824", "vg_free": "536870912", "vg_missing_pv_count": "0"}],
                "lv": [{"vg_name": "vg0", "lv_name": "web", "lv_size": "268435456"}],
            }
        ]
    }
)


async def test_facts_metrics_and_remediation_read_lvms_json_alike() -> None:
    report = parse_report(LVM_JSON)
    facts = {(name, subject.name): value for name, subject, value in full_report(report)}
    printed = {(name, subject.name): value for name, subject, value in volume_groups(LVM_JSON)}
    samples = {(s.metric.name, *s.labels): s.value for s in (*lvm._groups(report), *lvm._volumes(report))}
    context = Prints(LVM_JSON)
    for field in ("free", "size"):
        answers = {
            facts[f"vg.{field}_bytes", "vg0"],
            printed[f"vg.{field}_bytes", "vg0"],
            samples[f"xen_lvm_vg_{field}_bytes", "vg0"],
            await _mib(context, "vgs", f"vg_{field}", "vg0"),  # type: ignore[arg-type]
        }
        assert len(answers) == 1, answers
    of_volume = {facts["lv.size_bytes", "vg0/web"], samples["xen_lvm_lv_size_bytes", "vg0", "web"]}
    assert of_volume == {await _mib(context, "lvs", "lv_size", "vg0/web")}  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "  WARNING: locking is off", '{"report": 3}', '{"log": []}'])
async def test_what_is_no_report_of_lvm_is_none_for_facts_and_remediation(text: str) -> None:
    assert [value for _, _, value in volume_groups(text)] == [()]
    assert await _mib(Prints(text), "vgs", "vg_free", "vg0") is None  # type: ignore[arg-type]


async def test_facts_and_metrics_read_one_meminfo_alike() -> None:
    text = "MemTotal:  1015808 kB\nMemFree:     91136 kB\nMemAvailable: 654321 kB\nHugePages_Total:   0\n"

    def edit(recorded: str) -> str:
        if "proc/meminfo = " not in recorded:
            return recorded
        kept = [line for line in recorded.splitlines() if not line.startswith("proc/meminfo = ")]
        return "\n".join([*kept, "proc/meminfo = " + text.replace("\n", "\\n"), ""])

    facts = {name: value for name, _, value in own_memory(text)}
    async with recorded_host(edit=edit) as host:
        samples = {sample.metric.name: sample.value for sample in await dom0.COLLECTOR.begin()(host)}
    assert facts["dom0.memory.available_bytes"] == samples["xen_dom0_memory_available_bytes"] == 654321 * 1024
    assert "HugePages_Total" not in facts


async def test_sampling_remediation_and_a_migration_call_ssh_alike(tmp_path: Path) -> None:
    """None of them asks a person for anything, and none speaks to a host that is not known."""
    started = Prints("")
    await SshRunner("root@old1", started).run(("xm", "list"), 10.0)
    inventory = ManagedInventory("xen1", hosts=(ManagedHost("xen2", "10.0.0.12"),))
    guest = Guest("web", f"{UUID}1", toolstack="xl")
    migration = domain_commands.migrate(LocalMachine(inventory), guest, "10.0.0.12", 60.0)
    commands = [
        started.started[0],
        SshTransport(inventory, tmp_path / "ssh").argv(("xl", "list"), "xen2"),
        tuple(migration.argv[migration.argv.index("-s") + 1].split()),
    ]
    for command in commands:
        assert command[0] == "ssh"
        assert set(ssh_options(10)) <= set(command)


ONE_MISTAKE = "# a comment\n\n[{table}]\n{first}\nnonsense = 1\n"
READERS: dict[str, tuple[str, str, Callable[[Path], object]]] = {
    "configuration": ("agent", 'state_dir = "/tmp/x"', lambda path: load_config(path, {})),
    "access": ("hooks", "bearer = []", load_access),
    "policy": ("remediation", 'mode = "observe"', read_policy),
}


@pytest.mark.parametrize("reader", READERS)
def test_a_mistake_in_any_toml_file_is_reported_at_its_line(reader: str, tmp_path: Path) -> None:
    table, first, read = READERS[reader]
    path = tmp_path / "file.toml"
    path.write_text(ONE_MISTAKE.format(table=table, first=first))
    path.chmod(0o600)
    with pytest.raises(ConfigError) as error:
        read(path)
    assert [problem.line for problem in error.value.problems] == [5]


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    ("written", "line", "reported"),
    [
        (b"[a]\n\nb = = 1\n", 3, "is not TOML"),
        (b"[a]\n\nb = [1,\n", 4, "is not TOML"),
        (b'[a]\nb = "\xff"\n', 2, "is not UTF-8 text"),
    ],
)
def test_a_file_that_is_not_toml_is_refused_at_the_line_that_ends_it(
    reader: str, written: bytes, line: int, reported: str, tmp_path: Path
) -> None:
    path = tmp_path / "file.toml"
    path.write_bytes(written)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match=reported) as error:
        READERS[reader][2](path)
    assert [problem.line for problem in error.value.problems] == [line]


def test_a_policy_that_an_open_api_forbids_is_reported_at_the_line_of_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text('# a comment\n\n[remediation]\nenabled = true\nmode = "auto"\n')
    with pytest.raises(ConfigError) as error:
        refuse_open_auto(read_policy(path), path, guarded=False)
    assert [problem.line for problem in error.value.problems] == [5]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Domain 5: cannot map 0xfee00000", "Domain 17: cannot map 0xc0ffee"),
        ("cannot open /dev/vg0/web", "cannot open /dev/vg0/db"),
        (f"no domain {UUID}1", f"no domain {UUID}2"),
    ],
)
def test_errors_are_grouped_by_the_one_sense_of_the_same_but_for_its_numbers(one: str, other: str) -> None:
    source = Source("xend.log", all_formats()["xend"])
    errors = UnreadErrors()
    for nth, text in enumerate((one, other)):
        errors.note(LogRecord(source, text, 1.0, True, Position(0, 100 * nth)))
    assert (len(errors.kinds()) == 1) is (text_shape(one) == text_shape(other))


@pytest.mark.parametrize(
    "subject",
    [
        Subject("domain", "web", f"{UUID}1", 5),
        Subject("lv", "vg0/web", host="xen1"),
        Subject("domain", "caf\udce9"),
    ],
)
def test_a_subject_is_read_from_json_alike_wherever_it_was_written(subject: Subject) -> None:
    """The state database and the API write it; the run store keeps it inside of a proposal."""
    for written in (subject_json(subject), asdict(subject)):
        assert subject_from_json(json.loads(json.dumps(written))) == subject


def test_no_sql_spells_a_state_of_a_run_out() -> None:
    """The lists of `model/action.py` are handed to it: a state that is added there is not forgotten here."""
    states = "|".join(RunState.__args__)  # type: ignore[attr-defined]
    spelled = rf"""\b(?:SELECT|UPDATE|DELETE|WHERE|AND|SET|CHECK)\b[^"\n]*'(?:{states})'"""
    assert written_in(spelled) == set()


@pytest.mark.parametrize(
    ("grammar", "pattern", "homes"),
    [
        ("xl list", r"\(\?P<mem>", {"host/parse/xl_list.py"}),
        ("LVM's JSON", r"""\[["']report["']\]""", {"host/parse/lvm.py"}),
        # facts/saved.py says by it which file of a bundle is one
        ("/proc/meminfo", r"\bkB\$|MemTotal:", {"host/parse/memory.py", "facts/saved.py"}),
        ("ssh", r"-oBatchMode|BatchMode=", {"host/exec/ssh.py"}),
        ("lines of TOML", r"tomllib", {"base/toml_file.py", "base/toml_tables.py"}),
        ("rotated names", r"gz\|bz2|gz\|xz", {"logs/rotated_name.py"}),
        ("a subject in JSON", r'"kind": subject\.kind, "name"', {"model/serialize.py"}),
        ("an incident on a terminal", r"^def incident_lines|^def incident_text_lines", {"cli/report/incident_text.py"}),
        ("numbers in messages", r'\.sub\("#"', {"base/text_shape.py"}),
    ],
)
def test_a_grammar_stands_in_one_module(grammar: str, pattern: str, homes: set[str]) -> None:
    assert written_in(pattern) == homes, f"{grammar} has another reader"
