"""What no network takes for a regular expression: RE2 is what Envoy and its like compile."""

import re
import warnings

# In character classes none of these has a meaning of its own.
_CLASS = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_NOT_RE2 = re.compile(r"\(\?(?:<?[=!]|>|P=|\(|[imsU]*-?[imsU]*[A-OQ-TV-Za-hj-ln-rt-z])")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_LETTERS = "aftnrvxpPdDsSwWbBAzCQE"
"""What RE2 gives a meaning behind a backslash."""
_TOKEN = re.compile(_CLASS.pattern + r"|\{(\d+)(?:,(\d*))?\}|.", re.DOTALL)
MOST_REPEATS = 1000
"""Of one thing, whatever it is nested in."""
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
    return f"more than {MOST_REPEATS} repeats" if _repeats(pattern) > MOST_REPEATS else ""


def _repeats(pattern: str) -> int:
    """How often the innermost part of a pattern is repeated at most, by counts: those around it multiply."""
    groups, last = [1], 1  # the most within each open group, and of what was read last
    for token in _TOKEN.finditer(pattern):
        if token.group() == "(":
            groups.append(1)
        elif token.group() == ")" and len(groups) > 1:
            last = groups.pop()
            groups[-1] = max(groups[-1], last)
        elif token[1]:
            last *= max(int(token[1]), int(token[2] or 0))
            groups[-1] = max(groups[-1], last)
            last = 1
        else:
            last = 1
    return groups[0]
