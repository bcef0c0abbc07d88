"""What is said to users about documents that cannot be used."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a document, printed as one line.

    `path`: where, such as spec.modelVersions[1].weight; empty for the document as a whole.
    `message`: what is wrong, where found and expected do not tell it. `found`: what is there, short;
    None if nothing is. `expected`: what would be right.
    """

    path: str
    message: str = ""
    found: str | None = None
    expected: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.text}" if self.path else self.text

    @property
    def text(self) -> str:
        """The line without its path."""
        if self.message:
            return self.message
        found = "missing" if self.found is None else f"found {self.found}"
        return f"{found}, expected {self.expected}"


class Invalid(Exception):  # noqa: N818 - an outcome for the user, not a fault of the program
    """A document was refused. `subject` names it, such as "RoutingPolicy default/wisdom"."""

    def __init__(self, subject: str, problems: Iterable[Problem]) -> None:
        self.subject = subject
        self.problems = tuple(problems)
        super().__init__(subject, self.problems)

    def __str__(self) -> str:
        if len(self.problems) == 1:
            return f"{self.subject}: {self.problems[0]}"
        return "\n".join([f"{self.subject}:", *(f"  {problem}" for problem in self.problems)])
