"""Executes the routing templates of Iter8's charts, which are Go templates over the versions' weights.

The charts use three actions: an `if` on a weight above 0, its `end`, and a weight. Anything else is of
somebody's own making, and refused by name.
"""

import re
from collections.abc import Sequence

from turnout.migration.findings import Unlike
from turnout.shown import shown

_SPACE = " \t\r\n"
"""What Go trims, and looks for beside the hyphen that asks for it."""
_WEIGHT = re.compile(r"index \.Weights (?P<index>\d{1,4})")
_IF = re.compile(r"if gt \( ?index \.Weights (?P<index>\d{1,4}) ?\) 0")
KNOWN = "{{ index .Weights N }}, {{ if gt (index .Weights N) 0 }} or {{ end }}"


def execute(template: str, weights: Sequence[int], path: str) -> str:
    """The template's result for the weights of all versions. Raises Unlike, which names `path`."""
    out: list[str] = []
    open_: list[bool] = []
    before, *actions = template.split("{{")
    for action in actions:
        inside, closed, after = action.partition("}}")
        if not closed:
            raise Unlike(path, f"{shown(action)} after {{{{ without its }}}}", KNOWN)
        if inside[:1] == "-" and inside[1:2] in _SPACE:
            inside, before = inside[1:], before.rstrip(_SPACE)
        if inside[-1:] == "-" and inside[-2:-1] in _SPACE:
            inside, after = inside[:-1], after.lstrip(_SPACE)
        if all(open_):
            out.append(before)
        before, body = after, " ".join(inside.split())
        if body == "end" and open_:
            open_.pop()
        elif matched := _IF.fullmatch(body):
            open_.append(_weight(matched["index"], weights, path) > 0)
        elif matched := _WEIGHT.fullmatch(body):
            weight = _weight(matched["index"], weights, path)
            out.append(str(weight) if all(open_) else "")
        else:
            raise Unlike(path, shown(f"{{{{ {body} }}}}"), KNOWN)
    if open_:
        raise Unlike(path, "an {{ if }} without its {{ end }}", KNOWN)
    return "".join([*out, before])


def _weight(index: str, weights: Sequence[int], path: str) -> int:
    """Go fails for an index that is out of range, and Iter8 then writes nothing."""
    if int(index) >= len(weights):
        raise Unlike(
            path, f"the weight of version {index}, which Iter8 cannot execute", f"0..{len(weights) - 1}"
        )
    return weights[int(index)]
