"""A libvirt test driver of a test's own.

`test:///default` is one host for the whole process as long as anybody has it open, so what one test
does to its guest would be seen by the next.
"""

from pathlib import Path

UUID = "6695eb01-f6a4-8304-79aa-97f2502e193f"
NODE = f"""<node><domain type='test'><name>test</name><uuid>{UUID}</uuid><memory>8388608</memory>
<currentMemory>2097152</currentMemory><vcpu>2</vcpu><os><type>hvm</type></os></domain></node>"""


def own_node(folder: Path) -> str:
    """The URI of a host with one running guest, `test`, of 2 GiB."""
    (folder / "node.xml").write_text(NODE)
    return f"test://{folder}/node.xml"
