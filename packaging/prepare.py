"""Works out, for a package, what a first start would else work out: `python packaging/prepare.py RULES FOLDER`.

RULES is the folder of rules as it will be installed, FOLDER is xenwatch/_bundled/prepared beside the installed code.
What is written there is used only with exactly these rules and this code.
"""

import sys
from pathlib import Path

from xenwatch.diagnosis.matching.literal_store import write_literals
from xenwatch.diagnosis.matching.signature_index import SignatureIndex
from xenwatch.diagnosis.rules.cache import load_library, write_prepared


def prepare(rules: Path, folder: Path) -> None:
    """Write both files, for every user to read."""
    write_prepared(rules, folder)
    write_literals(SignatureIndex(load_library([rules], whole=False)).sought, folder)
    for file in folder.iterdir():
        file.chmod(0o644)


if __name__ == "__main__":
    prepare(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
