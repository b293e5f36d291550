"""The parts of an incident, and what every output calls them: terminal, HTML, Markdown, web pages and documentation."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Heading:
    """`key` is the part's name in JSON, which programs rely on; `title` is its name for people."""

    key: str
    title: str
    meaning: str

    @property
    def label(self) -> str:
        """The title in lower case, for the left column of a terminal."""
        return self.title.lower()


SUBJECT = Heading("subject", "Subject", "The domain, bridge, volume group or host that the incident is about.")
CAUSE = Heading("cause", "Cause", "Why it happens.")
IMPACT = Heading("impact", "Impact", "What it means for the guests and the people who use them.")
EVIDENCE = Heading("evidence", "Evidence", "The log lines, samples and facts that show it.")
CONSEQUENCES = Heading("explains", "Consequences", "Other incidents that this one explains.")
VERIFY = Heading("verify", "Verify", "Commands that show whether the diagnosis is right.")
FIX = Heading("remedy", "Fix", "What to do about it: commands to paste, or sentences.")
NOT_CHECKED = Heading("unchecked", "Not checked", "What the rule would have looked up but could not.")

HEADINGS = (SUBJECT, CAUSE, IMPACT, EVIDENCE, CONSEQUENCES, VERIFY, FIX, NOT_CHECKED)
"""In the order in which they are printed."""
