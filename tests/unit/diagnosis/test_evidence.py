"""The evidence of an incident grows without naming a record twice, and keeps the beginning and the end."""

from xenwatch.diagnosis.incidents.evidence import GrowingEvidence, merged_evidence
from xenwatch.model.diagnosis import Evidence
from xenwatch.model.record import LogFormat, LogRecord, Position, Source

SOURCE = Source("xend.log", LogFormat("xend", ""))


def piece(offset: int) -> Evidence:
    return Evidence(0.0, f"at {offset}", LogRecord(SOURCE, "it broke", 0.0, True, Position("g", offset)))


def test_it_is_the_same_as_merging_it_all_anew() -> None:
    growing, merged = GrowingEvidence(), ()
    for step in [
        (1,),
        (1,),
        (2, 3),
        (3, 4, 4),
        *((number,) for number in range(5, 60)),
        (7, 70, 71),
        tuple(range(200)),
    ]:
        new = tuple(map(piece, step))
        growing.add(new)
        merged = merged_evidence(merged, new)
        assert growing.pieces == merged


def test_of_a_long_story_the_beginning_and_the_end_stay() -> None:
    growing = GrowingEvidence()
    for number in range(100):
        growing.add((piece(number),))
    assert [one.origin.position.offset for one in growing.pieces] == [*range(20), *range(80, 100)]
