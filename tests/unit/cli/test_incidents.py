"""The commands about a running agent, against a real server and a real state database."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from xenwatch.base.errors import InputError, Unavailable, XenwatchError
from xenwatch.cli.incidents import follow
from xenwatch.cli.main import cli
from xenwatch.model.diagnosis import Diagnosis, Evidence
from xenwatch.model.incident import Incident
from xenwatch.model.record import LogFormat, LogRecord, Position, Source
from xenwatch.model.subject import Subject
from xenwatch.state.store import Store

TOLD = Diagnosis(
    rule="vif-bridge-missing", class_="vif-bridge-missing", subject=Subject("domain", "web\x1b[31m"), severity="error",
    title="No bridge of that name", summary="no bridge xenbr7", cause="It was never made.", at=1e9,
    verify=("ip link",), remedy=("ip link add xenbr7 type bridge",),
    evidence=(
        Evidence(1e9, "s", LogRecord(Source("/var/log/xen/xl-web.log", LogFormat("xl", "xl")), "no bridge\x1b]0;x",
                                     1e9, True, Position("g", 0, 7))),
    ),
)  # fmt: skip
OPEN = Incident("aaa111", TOLD, "open", 1e9, 1e9)


def run(*words: str, config: Path | None = None) -> Result:
    environment = {"XENWATCH_CONFIG": str(config) if config else ""}
    return CliRunner().invoke(cli, words, env=environment)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Nobody listens on port 1; the state holds three incidents."""
    store = Store(tmp_path / "state", now=lambda: 0.0)
    over = replace(OPEN, id="bbb222", state="resolved", resolved=1e9 + 60)
    store.commit({}, {}, [OPEN, over, replace(OPEN, id="aab333", state="explained", explained_by="aaa111")])
    store.close()
    path = tmp_path / "xenwatch.toml"
    path.write_text(f'[agent]\nstate_dir = "{tmp_path}/state"\n[web]\nlisten = "127.0.0.1:1"\n')
    return path


def test_without_an_agent_the_open_incidents_come_from_the_database(config: Path):
    said = run("incidents", "list", "--config", str(config))
    assert said.exit_code == 1
    assert "aaa111" in said.stdout
    assert "bbb222" not in said.stdout
    assert "no agent answers at http://127.0.0.1:1; read from" in said.stderr


def test_the_word_alone_lists_and_where_the_agent_is_may_stand_before_the_next_word(config: Path):
    assert run("incidents", "--config", str(config)).stdout == run("incidents", "list", "--config", str(config)).stdout
    assert "It was never made." in run("incidents", "--config", str(config), "show", "aaa").stdout


def test_all_of_them_are_listed_where_asked_for(config: Path):
    said = run("incidents", "list", "--all", "--format", "json", "--config", str(config))
    assert {one["id"] for one in json.loads(said.stdout)["incidents"]} == {"aaa111", "bbb222", "aab333"}


def test_where_nothing_is_open_the_exit_code_is_0(tmp_path: Path, config: Path):
    store = Store(tmp_path / "state", now=lambda: 0.0)
    store.load()
    store.commit({}, {}, [replace(OPEN, state="resolved", resolved=2e9)])
    store.close()
    said = run("incidents", "list", "--config", str(config))
    assert (said.exit_code, "No incident is open" in said.stdout) == (0, True)


def test_one_incident_is_shown_with_cause_evidence_remedy_and_history_and_nothing_drives_the_terminal(config: Path):
    said = run("incidents", "show", "aaa", "--config", str(config)).stdout
    for words in ("It was never made.", "xl-web.log:7", "ip link add xenbr7 type bridge", "opened", "web\\x1b[31m"):
        assert words in said
    assert "\x1b" not in said


def test_what_it_explains_and_what_explains_it_are_named_by_their_titles(config: Path):
    cause = run("incidents", "show", "aaa", "--config", str(config)).stdout
    assert "No bridge of that name (domain/web" in cause
    assert "incident aab333" in cause
    symptom = " ".join(run("incidents", "show", "aab", "--config", str(config)).stdout.split())
    assert "explained by No bridge of that name (domain/web" in symptom
    assert "incident aaa111" in symptom


def test_a_fact_that_every_round_finds_again_does_not_hide_the_line_of_the_log(config: Path, tmp_path: Path):
    rounds = tuple(Evidence(1e9 + n, "bridge.names is xenbr0 (sysfs)") for n in range(20))
    store = Store(tmp_path / "state", now=lambda: 0.0)
    told = replace(OPEN, id="ccc444", diagnosis=replace(TOLD, evidence=(*rounds, *TOLD.evidence)))
    store.commit({}, {}, [told])
    store.close()
    said = run("incidents", "show", "ccc", "--config", str(config)).stdout
    assert said.count("bridge.names is xenbr0") == 1
    assert "xl-web.log:7" in said


def test_an_ambiguous_or_unknown_id_is_one_clear_line(config: Path):
    for wanted, words in (("aa", "2 incidents have an id"), ("zz", "no incident 'zz'")):
        said = run("incidents", "show", wanted, "--config", str(config))
        assert isinstance(said.exception, InputError)
        assert words in str(said.exception)


def test_acknowledging_without_an_agent_is_refused(config: Path):
    said = run("incidents", "acknowledge", "aaa111", "--config", str(config))
    assert isinstance(said.exception, Unavailable)
    assert "is it running?" in str(said.exception)


def test_neither_agent_nor_database_is_said_in_one_line(tmp_path: Path):
    path = tmp_path / "x.toml"
    path.write_text(f'[agent]\nstate_dir = "{tmp_path}/none"\n[web]\nlisten = "127.0.0.1:1"\n')
    said = run("incidents", "list", "--config", str(path))
    assert isinstance(said.exception, XenwatchError)
    assert "no agent answers" in str(said.exception)
    assert "no state database" in str(said.exception)


def test_the_running_agent_is_asked_first_and_told_who_looks_after_it(agent: tuple[str, type[Any]]):
    url, handler = agent
    handler.answers["/api/v1/incidents/aaa111/acknowledge"] = (
        200, {"incident": {"id": "aaa111", "title": "No bridge", "acknowledged_by": "anna"}},
    )  # fmt: skip
    said = run("incidents", "acknowledge", "aaa111", "--by", "anna", "--url", url)
    assert said.stdout == "aaa111: No bridge: acknowledged by anna\n"
    assert handler.sent == [("/api/v1/incidents/aaa111/acknowledge", {"by": "anna"})]


def test_what_a_person_says_of_a_diagnosis_is_sent_and_can_be_exported(agent: tuple[str, type[Any]]):
    url, handler = agent
    said = {"at": "2026-03-01T12:00:00Z", "by": "anna", "what": "wrong", "text": "it was the switch", "until": None}
    one = {"id": "aaa111", "title": "No bridge", "rule": "vif-bridge-missing", "class": "x", "remarks": [said]}
    handler.answers["/api/v1/incidents/aaa111/remarks"] = (200, {"incident": one})
    handler.answers["/api/v1/incidents?full=1"] = (200, {"incidents": [one]})
    told = run("incidents", "wrong", "aaa111", "--by", "anna", "--reason", "it was the switch", "--url", url)
    assert told.stdout == "aaa111: No bridge: kept: the diagnosis was wrong\n"
    assert handler.sent[-1][1] == {"by": "anna", "what": "wrong", "text": "it was the switch"}
    listed = run("incidents", "verdicts", "--url", url).stdout
    assert listed == "2026-03-01T12:00:00Z wrong vif-bridge-missing (anna): it was the switch\n"
    exported = json.loads(run("incidents", "verdicts", "--format", "json", "--url", url).stdout)
    assert exported["verdicts"][0]["incident"]["id"] == "aaa111"


def test_what_the_agent_refuses_is_said_in_its_words(agent: tuple[str, type[Any]]):
    said = run("incidents", "show", "../../x", "--url", agent[0])
    assert str(said.exception) == "no such thing"


@pytest.mark.parametrize("url", ["file:///etc/passwd", "127.0.0.1:10197"])
def test_an_address_that_is_none_is_refused(url: str):
    assert "not the address of an agent" in str(run("incidents", "list", "--url", url).exception)


def test_watching_prints_each_change_once_and_waits_for_an_agent_that_is_away(capsys: pytest.CaptureFixture[str]):
    row = {
        "id": "aaa111", "severity": "error", "state": "open", "title": "No bridge", "acknowledged_by": None,
        "explained_by": None, "subject": {"kind": "domain", "name": "web"}, "last_seen": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    story: list[Any] = [[row], [row], Unavailable("away"), Unavailable("away"), [{**row, "state": "resolved"}], None]

    def look() -> tuple[list[dict[str, Any]], str]:
        match story.pop(0):
            case Unavailable() as error:
                raise error
            case None:
                raise KeyboardInterrupt
            case found:
                return found, "http://there"

    with pytest.raises(KeyboardInterrupt):
        follow(look, lambda: None)
    said = capsys.readouterr()
    assert [line.split()[2] for line in said.out.splitlines() if not line.startswith(" ")] == ["open", "resolved"]
    assert "    state: open -> resolved" in said.out
    assert said.err == "Watching: http://there; 1 open incident.\naway\nThere again: http://there; nothing is open.\n"


STATUS = {
    "xenwatch": "0.1.0", "rules": {"count": 3, "engine": "hyperscan"}, "unmatched_errors": {"count": 1},
    "incidents": {"open": 1, "explained": 2, "resolved": 3},
    "collectors": [{"name": "lvm", "ok": False, "error": "no answer"}, {"name": "vif", "ok": True, "error": None}],
    "logs": [{"path": "/var/log/xend.log", "format": "xend", "lines": 5, "bytes": 2048, "lag_bytes": 10}],
}  # fmt: skip


@pytest.mark.parametrize(("ok", "code"), [(True, 0), (False, 1)])
def test_status_says_what_is_not_well_and_exits_so(agent: tuple[str, type[Any]], ok: bool, code: int):
    url, handler = agent
    checks = [{"name": "sampling", "ok": ok, "age_seconds": None if ok else 300.0, "detail": "" if ok else "stuck"}]
    handler.answers["/healthz"] = (200 if ok else 503, {"ok": ok, "checks": checks})
    handler.answers["/api/v1/status"] = (200, STATUS)
    said = run("status", "--url", url)
    assert said.exit_code == code
    assert ("NOT HEALTHY" in said.stdout) is not ok
    assert "1 of 2 ok" in said.stdout
    assert "no answer" in said.stdout
    assert "1 error line that no rule matches" in said.stdout
