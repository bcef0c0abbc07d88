"""Calls, counted."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Counted:
    """Calls by the version that answered, or by the code with which they failed."""

    answered: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)

    @property
    def number(self) -> int:
        return self.answered.total() + self.failed.total()
