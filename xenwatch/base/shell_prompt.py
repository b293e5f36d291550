"""The prompt of a shell in a captured terminal, and the command that was typed behind it."""

from typing import Final

PROMPT: Final = (
    r"(?:\[?[\w.-]+@[\w.-]+(?:[ :~][^\n#$%>]{0,80})?\]?(?:[#$%]|>(?=\s|$))|[\w./~-]{0,40}[#$]|%(?= \S)) ?"
    r"(?P<command>\S[^\n]{0,400})?[ \t]*$"
)
"""Matched at the start of a line: `root@xen1:~# xl list`, `[root@xen1 ~]$`, `# xl list`, `root@xen1>`."""
