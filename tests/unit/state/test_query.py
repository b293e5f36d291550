from dataclasses import replace
from pathlib import Path

import pytest

from xenwatch.base.errors import InputError, StoreError
from xenwatch.model.incident import Incident
from xenwatch.state.query import find_incident, list_incidents
from xenwatch.state.schema import FILE_NAME
from xenwatch.state.store import Store


@pytest.fixture
def state_dir(tmp_path: Path, incident: Incident) -> Path:
    store = Store(tmp_path, now=lambda: 0.0)
    store.commit({}, {}, [incident, replace(incident, id="vif-other", last_seen=99.0), replace(incident, id="vif")])
    store.close()
    return tmp_path


def test_incidents_are_listed_latest_first_while_the_agent_runs(state_dir: Path):
    agent = Store(state_dir, now=lambda: 0.0)
    assert list_incidents(state_dir)[0].id == "vif-other"
    agent.close()


def test_an_incident_is_found_by_an_unambiguous_start_of_its_id(state_dir: Path):
    assert find_incident(state_dir, "vif-o")[0].id == "vif-other"


def test_an_id_that_is_the_start_of_others_is_found_when_written_whole(state_dir: Path):
    assert find_incident(state_dir, "vif")[0].id == "vif"


def test_an_ambiguous_start_is_refused(state_dir: Path):
    with pytest.raises(InputError, match="3 incidents have an id that starts with 'vi'"):
        find_incident(state_dir, "vi")


def test_an_unknown_id_and_sql_in_an_id_find_nothing(state_dir: Path):
    for wanted in ("nothing", "%", "' OR 1=1 --"):
        with pytest.raises(InputError, match="no incident"):
            find_incident(state_dir, wanted)


def test_a_directory_without_a_database_is_named(tmp_path: Path):
    with pytest.raises(InputError, match=r"no state database at .*state\.db"):
        list_incidents(tmp_path)


def test_a_file_that_is_no_database_is_an_error_and_stays(tmp_path: Path):
    (tmp_path / FILE_NAME).write_bytes(b"nothing of the kind" * 1000)
    with pytest.raises(StoreError, match="not a database"):
        list_incidents(tmp_path)
    assert (tmp_path / FILE_NAME).exists()
