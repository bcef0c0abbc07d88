"""What came of calls: who answered how often, and what failed. Pure."""

from collections import Counter
from dataclasses import dataclass, field

HOPELESS = 20
"""After so many failures, and not one answer, the rest is not sent."""
NOTHING_OF_HTTP = "no HTTP"
"""The code of a call whose answer was not HTTP."""


class Failed(Exception):  # noqa: N818 - an outcome that is counted
    """A call was not answered well. `code`: a word to count by, such as UNAVAILABLE or HTTP 503."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


@dataclass(slots=True)
class Tally:
    """What came of the calls so far. `messages`: of each code the first."""

    answers: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    messages: dict[str, str] = field(default_factory=dict)

    @property
    def answered(self) -> int:
        return self.answers.total()

    @property
    def failed(self) -> int:
        return self.failures.total()

    @property
    def hopeless(self) -> bool:
        """Whether nothing has ever been answered, often enough."""
        return not self.answered and self.failed >= HOPELESS

    def fail(self, failed: Failed) -> None:
        self.failures[failed.code] += 1
        self.messages.setdefault(failed.code, failed.message)
