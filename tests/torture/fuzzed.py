"""What is fuzzed: each part reads bytes that others write, and takes them or refuses them in its own words."""

import contextlib
import tempfile
from collections.abc import Callable
from pathlib import Path

from xenwatch.base.errors import XenwatchError
from xenwatch.config.loader import load_config
from xenwatch.diagnosis.pipeline import Pipeline
from xenwatch.diagnosis.rules.loader import parse_rule
from xenwatch.diagnosis.ruleset import rules_with
from xenwatch.host.privileged.questions import is_question
from xenwatch.host.privileged.secrets import without_secrets
from xenwatch.host.privileged.wire import decode
from xenwatch.logs.format import all_formats
from xenwatch.model.record import Chunk, Position, Source, TimeHint
from xenwatch.remediation.policy.loader import parse_policy
from xenwatch.triage.bundle.reader import Bundle
from xenwatch.triage.bundle.secret_forms import FORMS
from xenwatch.web.webhooks import InvalidDelivery, parse

Run = Callable[[bytes], None]


def _formats() -> Run:
    """The first byte chooses the format; a log is read in two chunks."""
    formats, rules = [format_ for _, format_ in sorted(all_formats().items())], rules_with((), None)
    pipeline = Pipeline(rules, prefilter="ahocorasick")

    def run(data: bytes) -> None:
        format_, text = formats[data[0] % len(formats) if data else 0], data[1:]
        source = Source(f"{format_.name}.log", format_)
        cut = text.rfind(b"\n", 0, len(text) // 2) + 1
        for begin, piece in ((0, text[:cut]), (cut, text[cut:])):
            if piece:
                pipeline.read(Chunk(source, piece, Position("1", begin, 1), TimeHint(1e9), final=begin == cut))
        pipeline.conclude(1e9)

    return run


def _archives() -> Run:
    folder = Path(tempfile.mkdtemp())

    def run(data: bytes) -> None:
        (folder / "bundle.tar").write_bytes(data)
        for entry in Bundle([str(folder)], now=1e9).entries():
            for _ in entry.chunks():
                pass

    return run


def _rules() -> Run:
    def run(data: bytes) -> None:
        with contextlib.suppress(XenwatchError):
            parse_rule(data.decode("utf-8", "replace"), Path("own.yaml"))

    return run


def _configuration() -> Run:
    file = Path(tempfile.mkdtemp()) / "xenwatch.toml"

    def run(data: bytes) -> None:
        file.write_bytes(data)
        with contextlib.suppress(XenwatchError):
            load_config(file, {})

    return run


def _policy() -> Run:
    def run(data: bytes) -> None:
        with contextlib.suppress(XenwatchError):
            parse_policy(data.decode("utf-8", "replace"), Path("policy.toml"), {"domain_start": "L2"})

    return run


def _hooks() -> Run:
    def run(data: bytes) -> None:
        with contextlib.suppress(InvalidDelivery):
            parse(data)

    return run


def _questions() -> Run:
    """What arrives at the socket of the reader and of the effects helper."""

    def run(data: bytes) -> None:
        with contextlib.suppress(XenwatchError):
            argv = decode(data).get("argv")
            if isinstance(argv, list) and all(isinstance(word, str) for word in argv):
                is_question(argv)

    return run


def _outputs() -> Run:
    """What tools print, and what is sent to others, without what is secret."""

    def run(data: bytes) -> None:
        without_secrets(data)
        text = data.decode("utf-8", "replace")
        for form, shown in FORMS:
            text = form.sub(shown, text)

    return run


PARTS: dict[str, Callable[[], Run]] = {
    "formats": _formats,
    "archives": _archives,
    "rules": _rules,
    "configuration": _configuration,
    "policy": _policy,
    "hooks": _hooks,
    "questions": _questions,
    "outputs": _outputs,
}
"""By the name of what is read; each is made once, and is then given one text after another."""

_LOG = b"[2011-05-18 20:55:04 xend 1] WARNING (a:1) Domain has crashed: name=web id=7.\n"
_ALERT = b'{"version": "4", "alerts": [{"status": "firing", "labels": {"alertname": "a", "domain": "web"}}]}'
SEEDS: dict[str, tuple[bytes, ...]] = {
    "formats": tuple(bytes([number]) + _LOG for number in range(24)),
    "archives": (_LOG, b"\x1f\x8b\x08", b"PK\x03\x04", b"BZh9", b"\xfd7zXZ\x00"),
    "rules": (b"id: own\nclass: a\nsignatures: [{streams: [xend], regex: 'a(?P<domain>b)'}]\n",),
    "configuration": (b'[agent]\nstate_dir = "/x"\n[logs]\npaths = ["/a"]\n',),
    "policy": (b'[remediation]\nmode = "auto"\n[[guest]]\nname = "web"\n[[rule]]\nname = "r"\n',),
    "hooks": (_ALERT,),
    "questions": (b'{"do": "run", "argv": ["xl", "list", "-v"]}',),
    "outputs": (b'/vm/1/vncpasswd = "x"\n(passwd \'a b\')\n"passwd": "x"\npassword=x\n',),
}
"""What each part begins with."""
