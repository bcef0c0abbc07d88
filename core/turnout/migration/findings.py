"""What the report says of Iter8's artifacts."""

from dataclasses import dataclass
from typing import Any

from turnout.errors import Invalid


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report.

    `subject` names the object. `text` says what, why, and what to do. `lost`: it is not carried over;
    otherwise it is, or nothing is lost without it, and somebody should know.
    """

    subject: str
    text: str
    lost: bool = True

    def __str__(self) -> str:
        return f"{'Not carried over' if self.lost else 'Note'}: {self.subject}: {self.text}"

    def data(self) -> dict[str, Any]:
        """For programs."""
        return {"subject": self.subject, "text": self.text, "carriedOver": not self.lost}


class Unlike(Exception):  # noqa: N818 - an outcome, not a fault
    """A routing template, or its result, is not as one of Iter8's charts makes it."""

    def __init__(self, path: str, found: str, expected: str) -> None:
        super().__init__(f"{path}: found {found}, expected {expected}")


def one_line(error: Invalid) -> str:
    """All that is wrong with a document, without its name."""
    return "; ".join(map(str, error.problems))
