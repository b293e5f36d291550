"""What an error looks like in any log, and the ones that no rule knows, grouped like by like and counted."""

from collections import Counter, OrderedDict, deque
from collections.abc import Iterator
from functools import lru_cache

from xenwatch.base import lazy_re as re
from xenwatch.base.text_shape import text_shape
from xenwatch.model.record import LogRecord

MOST_KINDS = 2000
MOST_PLACES = 2000

ERROR = (
    r"\b(?:ERROR|ERR|CRITICAL|CRIT|FATAL|SEVERE|PANIC|EMERG|EXCEPTION)\b|\b(?:error|fatal|panic|critical)[:\]>|,;]|_FAULT\b"
    r"|Traceback \(most recent call last\)|(?:Error|Exception|Fault)(?::|\(|$)|\bBUG: |\bWARNING: (?:CPU: \d|at )"
    r"|\b(?:RIP|EIP)(?: is at |: +[\da-f]{2})|\bPC is at |\bpc : \w"
    r"|(?i:\b(?:fail(?:ed|ure|ures|s|ing)?|cannot|can't|cant|couldn't|could not|unable to|refus(?:ed|es|ing)|denied"
    r"|timed ?out|timeout|not permitted|no such|not found|does not exist|doesn't exist|invalid|corrupt\w*"
    r"|abort(?:ed|ing)?|violation|not an? (?:\w+ )?(?:binary|executable|image|block device)"
    r"|segfault|segmentation fault|core dumped|oops|panic|crash(?:ed|ing)|died|(?:page|triple|double|protection) fault"
    r""
    r"|(?:I/O|IO|internal|fatal|backend) errors?|unhandled (?:\w+ )?(?:fault|exception|trap|signal)"
    r"|lockup|deadlock\w*|stall(?:s|ed)|stuck|hung|went backwards"
    r"|out of (?:[\w-]+ )?(?:memory|space|slots|handles|descriptors)|oom-killer|killed process|killed by signal"
    r"|trying to overwrite|insufficient|not enough"
    r"|too (?:many|small|large|big|long)|exceeded|runaway|unsupported|not supported|incompatible|rejected|illegal|wrong"
    r"|does not match|unexpected(?:ly)?|unrecoverable|giving up|no route to|reset by peer|broken pipe|unreachable"
    r"|unresponsive|not responding|no response|connection (?:was )?lost|lost connection|(?:still|already|is) in use"
    r"|(?:resource|device|is) busy|(?:is|are|was|were) missing|degraded|call trace"
    r"|unknown (?:option|command|parameter|keyword|device)|bad (?:\w+ )?(?:magic|pte|page|superblock|swp_entry)"
    r"|exit(?:ed)?(?: with)?(?: error)?(?: status| code)?:? ?[1-9]\d*)\b)"
    r"|\b(?:errno|rc|err(?:or)?|status|ret(?:urn(?:ed|s)?)?)[ =:]+-\d"
)
"""Level words, exceptions, and the words and numbers with which calls fail; what `re` and the prefilter search."""

_ERROR = re.compile(ERROR, re.MULTILINE)
_PLAIN_LEVEL = re.compile(r"\b(?:ERROR|CRITICAL|FATAL|Traceback)\b|\berror:", re.MULTILINE)
_NOT_ONE = re.compile(
    r"(?i)\b(?:no|0|zero|without(?: any)?|any|ignoring|if it)[ -](?:\w+ )?(?:errors?|failures?|fails?)\b"
    r"|\b(?:errors?|err|fail(?:ed|ures?|s)?|rc|status|exit(?:ed)?(?: status| code)?|aborted)['\"]?\s*[:=]\s*['\"]?"
    r"(?:0\b|none\b|no(?=[,;)'\"]|$)|false\b|null\b|ok\b)"
    r"|\berror[- ](?:correct|recover|handl|inject|detect|report|log)\w*|\bfail(?:over|safe|-?over|-?safe)\b"
    r"|\btimeouts?(?:[ =:]+(?:is |of |value )?\d|=)|\bset timeout|\btimeout (?:value|set|for|handler)|\binvalidat\w+"
    r"|\bon_(?:crash|error)\b|--\w*(?:fail|error|timeout)\w*|\bpanic ?(?:=|_timeout|on_oops)|\berror (?:0|none)\b"
)
"""The same words where nothing went wrong: counts of zero, settings, names of features."""
_LONGEST = 4000


def is_debug(line: bytes) -> bool:
    """Whether a line says so at its start. xend polls `'failed': '0'` by the thousand: no record is read for that."""
    start = line[:80]
    return b"DEBUG" in start and b"ERR" not in start and b"CRIT" not in start


def is_error(text: str, level: str | None) -> bool:
    """Whether a record says that something failed; `level` is what its header says (None: nothing)."""
    if level == "debug":
        return False
    return level in ("error", "critical") or _speaks_of_one(text[:_LONGEST], level == "info")


@lru_cache(maxsize=1024)
def _speaks_of_one(text: str, only_plainly: bool) -> bool:
    plain = _NOT_ONE.sub(" ", text)
    return (_PLAIN_LEVEL if only_plainly else _ERROR).search(plain) is not None


@lru_cache(maxsize=1024)
def _shape(text: str) -> str:
    return text_shape(text)


UnreadKind = tuple[LogRecord, int]
"""Error records that differ only in their numbers: the first of them, and how many there were."""


class UnreadErrors:
    """`total` counts every error record that no rule knows; kinds seen longest ago are forgotten first."""

    def __init__(self) -> None:
        self.total = 0
        self._kinds: OrderedDict[tuple[bool, str], LogRecord] = OrderedDict()
        self._counts: Counter[tuple[bool, str]] = Counter()
        self._latest: deque[LogRecord] = deque(maxlen=MOST_PLACES)

    def note(self, record: LogRecord) -> None:
        """Take in one more."""
        kind = record.guest, _shape(record.text)
        self.total += 1
        self._latest.append(record)
        self._kinds.setdefault(kind, record)
        self._kinds.move_to_end(kind)
        self._counts[kind] += 1
        if len(self._kinds) > MOST_KINDS:
            gone, _ = self._kinds.popitem(last=False)
            del self._counts[gone]

    def kinds(self) -> list[UnreadKind]:
        """What the host wrote before what guests wrote, the most frequent first."""
        found = [(record, self._counts[kind]) for kind, record in self._kinds.items()]
        return sorted(found, key=lambda kind: (kind[0].guest, -kind[1]))

    def latest(self) -> Iterator[LogRecord]:
        """The last ones, oldest first."""
        return iter(self._latest)
