"""All engines find the same, whatever the patterns and the bytes."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from xenwatch.diagnosis.matching.bytes_regex import raw_form
from xenwatch.diagnosis.matching.literal_prefilters import AhoCorasickPrefilter, FindPrefilter
from xenwatch.diagnosis.matching.literals import literals
from xenwatch.diagnosis.matching.prefilter_factory import make_prefilter
from xenwatch.diagnosis.matching.record_text import text_of
from xenwatch.diagnosis.matching.reduce import scan_form
from xenwatch.diagnosis.rules.patterns import FLAGS

ENGINES = ("hyperscan", "ahocorasick", "re")

# Small alphabets, so that patterns meet their text often.
_ATOMS = st.sampled_from(["a", "b", "ab", "é", r"\w", r"\d", r"\s", ".", "[ab]", "[^a]", r"\S", "(?i:B)", r"\n", "x y"])
_TEXT = st.text(st.sampled_from("abABéx y1\n\r\t\ufffd"), max_size=40)


def _combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda p: f"(?:{p[0]}|{p[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2,3}", "*?"])).map(lambda p: f"(?:{p[0]}){p[1]}"),
        inner.map(lambda p: f"({p})"),
        st.tuples(inner, inner).map(lambda p: f"{p[0]}(?={p[1]})"),
        st.tuples(inner, inner).map(lambda p: f"^{p[0]}{p[1]}"),
        st.tuples(inner, inner).map(lambda p: rf"(?P<q>{p[0]}){p[1]}(?P=q)" if "?P<q>" not in p[0] + p[1] else p[0]),
    )


def _is_regex(text: str) -> bool:
    try:
        return bool(re.compile(text, FLAGS))
    except re.error:  # two groups of one name
        return False


_REGEX = st.recursive(_ATOMS, _combined, max_leaves=6).filter(_is_regex)


@settings(max_examples=300, deadline=None)
@given(_REGEX, _TEXT.map(lambda t: t.encode()), st.binary(max_size=6))
@example("a.b", "aéb".encode(), b"")
@example("a[^b]c", b"a\xffc", b"")
@example("(?i:B)é", b"b\xc3\xa9", b"")
def test_the_raw_form_finds_everything_that_re_finds(regex, text, noise):
    raw = text + noise
    if re.compile(regex, FLAGS).search(text_of(raw)) is None:
        return
    for form in (raw_form(regex), scan_form(regex)):
        assert form is None or re.compile(form.encode("latin-1"), re.DOTALL).search(raw), form


@pytest.mark.parametrize(
    ("regex", "match"),
    [
        (r"VM (\S+) restarting too fast \(Elapsed", "VM web restarting too fast (Elapsed"),
        (
            r"(?i:cannot open) (?P<path>\S+) for (?P<why>writing|reading): (?P=why) was denied",
            "CANNOT open /x for writing: writing was denied",
        ),
        (r"(a device|a (?:disk|drive)) .{2,90} is now (?:gone\nfor good|away)", "a disk xx is now gone\r\nfor good"),
    ],
)
def test_what_is_looked_for_is_in_every_match(regex, match):
    assert re.compile(scan_form(regex).encode("latin-1")).search(match.encode())


def test_a_telling_part_stands_for_the_whole():
    whole = r"VM (\S+) restarting too fast \(Elapsed time: ([\d.]+) seconds\)"
    assert scan_form(whole) == raw_form(" restarting too fast \\(Elapsed time: ")
    assert scan_form(r"vif (\S+) of (\S+) gone") == raw_form(r"vif (\S+) of (\S+) gone")


@settings(max_examples=300, deadline=None)
@given(_REGEX, _TEXT.map(lambda t: t.encode()))
def test_each_match_holds_one_of_its_literals(regex, raw):
    found = literals(regex)
    if not found or re.compile(regex, FLAGS).search(text_of(raw)) is None:
        return
    assert any(literal in raw.lower() for literal in found), found


@pytest.mark.timeout(600)  # each example compiles three engines: on a busy machine two minutes are not enough
@settings(max_examples=150, deadline=None)
@given(st.lists(_REGEX, min_size=1, max_size=4), st.lists(_TEXT, min_size=1, max_size=6))
def test_all_engines_give_the_same_events(kit, regexes, lines):
    rules = []
    for number, regex in enumerate(regexes):
        if re.compile(regex, FLAGS).search("") is None:
            rules.append(kit.one(regex, f"rule-{number}"))
    text = "".join(f"[{n + 1}] INFO {line}\n" for n, line in enumerate(lines))
    told = [
        sorted((e.rule, e.at, tuple(e.fields.items())) for e in kit.feeder(*rules, engine=name).feed(text))
        for name in ENGINES
    ]
    assert told[0] == told[1] == told[2]


@pytest.mark.parametrize(
    ("regex", "expected"),
    [
        (r"Could not find bridge device (\S+)", (b"could not find bridge device ",)),
        (r"vif.*: (?:RX|TX) gone", (b": rx gone", b": tx gone")),
        (r"(?:vif|vbd)\d+ (?P<x>\S+) is out of range", (b" is out of range",)),
        (r"\w+\s\d+", ()),
    ],
)
def test_the_most_telling_literal_is_taken(regex, expected):
    assert literals(regex) == expected


@pytest.mark.parametrize(
    ("regex", "text"),
    [
        (r"out of memory.*", b"out of memory"),
        (r"^Failed to (?P<what>.+)", b"Failed to "),
        (r"(?:.*)disk full(?: on \S+)?", b"disk full"),
    ],
)
def test_optional_ends_are_not_looked_for(regex, text):
    found = [at for at, _ in make_prefilter([regex], "hyperscan").candidates(b"so: " + text + b" x y z")]
    assert 4 + len(text) in {found[0], found[0] - 1}


def test_a_long_repeat_does_not_stop_the_others(kit):
    huge, plain = kit.one(r"a{1,40000}bcd", "huge"), kit.one("plain text", "plain")
    events = kit.feeder(huge, plain, engine="hyperscan").feed("[1] INFO aaabcd plain text\n")
    assert {e.rule for e in events} == {"huge", "plain"}


def test_a_compiled_database_is_kept_and_a_damaged_one_is_made_anew(kit, tmp_path):
    regexes = ["abc def", "ghi jkl"]
    make_prefilter(regexes, "hyperscan", tmp_path)
    [kept] = tmp_path.iterdir()
    assert make_prefilter(regexes, "hyperscan", tmp_path).candidates(b"ghi jkl") == [(7, 1)]
    kept.write_bytes(b"torn" + kept.read_bytes()[4:200])
    assert make_prefilter(regexes, "hyperscan", tmp_path).candidates(b"ghi jkl") == [(7, 1)]


def test_other_signatures_use_another_database(tmp_path):
    make_prefilter(["abc def"], "hyperscan", tmp_path)
    make_prefilter(["abc xyz"], "hyperscan", tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_place_where_nothing_can_be_kept_does_no_harm(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert make_prefilter(["abc def"], "hyperscan", blocked / "cache").candidates(b"abc def") == [(7, 0)]


@pytest.mark.parametrize("engine", [AhoCorasickPrefilter, FindPrefilter])
def test_a_signature_without_literals_is_asked_everywhere(engine):
    assert engine([r"\d+\s\d+", "literal text"]).everywhere == (0,)


@pytest.mark.parametrize("name", ENGINES)
def test_no_signatures_and_no_data_give_no_candidates(name):
    assert make_prefilter([], name).candidates(b"abc") == []
    assert make_prefilter(["abc"], name).candidates(b"") == []
