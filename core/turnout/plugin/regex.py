"""What no network takes for a regular expression: RE2 is what Envoy and its like compile."""

import re
import warnings

# In character classes none of these has a meaning of its own.
_CLASS = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_NOT_RE2 = re.compile(r"\(\?(?:<?[=!]|>|P=|\(|[imsU]*-?[imsU]*[A-OQ-TV-Za-hj-ln-rt-z])")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_LETTERS = "aftnrvxpPdDsSwWbBAzCQE"
"""What RE2 gives a meaning behind a backslash."""
_REPEATS = re.compile(r"\{(\d+)(?:,(\d*))?\}")
MOST_REPEATS = 1000
_BROKEN = (
    "missing ), unterminated",
    "unbalanced parenthesis",
    "unterminated character set",
    "nothing to repeat",
)
"""How Python's parser names what is wrong in RE2 as well; of other syntax the two differ."""


def regex_fault(pattern: str) -> str | None:
    """Why a pattern cannot be RE2's, if that is certain."""
    if lacking := _lacking(pattern):
        return f'found "{pattern}", expected RE2 syntax, which has no {lacking}'
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(pattern)
    except re.error as error:
        if error.msg.startswith(_BROKEN):
            return f'found "{pattern}", expected RE2 syntax: {error.msg}'
    except (OverflowError, RecursionError):
        return f'found "{pattern[:60]}", expected a simpler pattern'
    return None


def _lacking(pattern: str) -> str:
    """What RE2 has not, of what a pattern has."""
    for escape in _ESCAPE.findall(pattern):
        if escape in "123456789":
            return "backreferences"
        if escape.isascii() and escape.isalpha() and escape not in _LETTERS:
            return f'"\\{escape}"'
    plain = _CLASS.sub("", pattern)
    if found := _NOT_RE2.search(plain):
        return f'"{found.group()}"'
    counts = (int(count) for pair in _REPEATS.findall(plain) for count in pair if count)
    return f"more than {MOST_REPEATS} repeats" if max(counts, default=0) > MOST_REPEATS else ""
