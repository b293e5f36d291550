"""What a component is to this tool: where its source lies, how its messages are read, how its lines look."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from c_source import Says, texts_defined
from c_source import read as read_c
from message import Line, Message

_VERSION = re.compile(r"^(?:export )?XEN_(?P<part>VERSION|SUBVERSION)\s*[:?]?=\s*(?P<number>\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Tree:
    """A source tree, and which release it is of."""

    root: Path
    release: tuple[int, ...]

    @property
    def label(self) -> str:
        return ".".join(map(str, self.release)) or self.root.name


@dataclass(frozen=True, slots=True)
class Component:
    """A part of Xen, or of what runs beside it, that prints messages of its own."""

    name: str
    paths: tuple[str, ...]
    """Patterns below the root; of those that changed places, each release has one."""
    read: Callable[[str, str, Tree], Iterator[Message]]
    """The messages of one file: its name, its text, the tree."""
    line: Callable[[Message, str, Tree], Line]
    """The filled text as it stands in a log."""
    leave_out: re.Pattern[str] | None = None
    """Paths that are no part of what is installed: tests, examples, other systems."""

    def messages(self, tree: Tree) -> list[Message]:
        """Every message once, in the order of files and lines; one text said in several places counts once."""
        found: dict[tuple[str, str], Message] = {}
        for path in self._files(tree.root):
            for message in self.read(path.name, path.read_text(encoding="utf-8", errors="replace"), tree):
                found.setdefault(message.key, message)
        return list(found.values())

    def _files(self, root: Path) -> list[Path]:
        paths = {path for pattern in self.paths for path in root.glob(pattern) if path.is_file()}
        return sorted(p for p in paths if not (self.leave_out and self.leave_out.search(str(p.relative_to(root)))))


def tree_at(root: Path, release: str | None = None) -> Tree:
    """The tree, with the release that is given, or that Xen's own makefile names."""
    if release:
        return Tree(root, tuple(int(n) for n in re.findall(r"\d+", release)))
    makefile = root / "xen/Makefile"
    text = makefile.read_text(encoding="utf-8") if makefile.is_file() else ""
    numbers = {m["part"]: int(m["number"]) for m in _VERSION.finditer(text)}
    return Tree(root, tuple(numbers[part] for part in ("VERSION", "SUBVERSION") if part in numbers))


def c_reader(says: Sequence[Says], headers: Sequence[str] = ()) -> Callable[[str, str, Tree], Iterator[Message]]:
    """A reader of C files; `headers` are patterns of the files with macros that stand for text."""

    def read(name: str, text: str, tree: Tree) -> Iterator[Message]:
        paths = [path for pattern in headers for path in tree.root.glob(pattern)]
        defines = {k: v for path in paths for k, v in texts_defined(path.read_text(errors="replace")).items()}
        return read_c(name, text, says, defines)

    return read
