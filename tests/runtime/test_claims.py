"""Whose wish for a shared object counts, and what it costs to say so."""

from hypothesis import given
from hypothesis import strategies as st

from tests.decision.writing import CONFIG_MAP
from turnout.decision.render import Rendered
from turnout.plugin import Ref, Role
from turnout.runtime.claims import Claim, Claims
from turnout.runtime.keys import PolicyKey

REFS = [Ref(CONFIG_MAP, "models", name) for name in ("gateway", "other")]
GATEWAY = REFS[0]

Step = tuple[str, dict[int, str] | None]
STEPS = st.lists(
    st.tuples(
        st.sampled_from("abcd"),
        st.none() | st.dictionaries(st.sampled_from([0, 1]), st.sampled_from(["1", "2", "3"])),
    ),
    max_size=30,
)
"""A policy, and either its wishes, as when each was made by the number of the object, or that it is gone."""


class Counted(Claim):
    """A claim that notes how often it is compared."""

    compared = 0

    @property
    def order(self) -> tuple[str, str]:
        Counted.compared += 1
        return self.created, str(self.key)


def key(name: str) -> PolicyKey:
    return PolicyKey("models", name)


def claim(name: str, created: str, ref: Ref = GATEWAY, text: bytes = b"{}", of: type[Claim] = Claim) -> Claim:
    return of(created, key(name), f"uid-of-{name}", Rendered(ref, Role.SHARED, {}, text, {}))


def first(claims: Claims) -> str | None:
    found = claims.first(GATEWAY)
    return found.key.name if found else None


def test_nobody_is_first_for_what_nobody_wants() -> None:
    claims = Claims()
    assert claims.first(GATEWAY) is None
    claims.replace(key("a"), [claim("a", "1")])
    claims.forget(key("a"))
    assert claims.first(GATEWAY) is None


def test_the_oldest_is_first_and_the_name_decides_between_equals() -> None:
    claims = Claims()
    for name, created in (("c", "2"), ("b", "2"), ("a", "3")):
        claims.replace(key(name), [claim(name, created)])
    assert first(claims) == "b"


def test_the_next_is_first_once_the_first_wants_it_no_more() -> None:
    claims = Claims()
    for name, created in (("a", "1"), ("b", "2"), ("c", "3")):
        claims.replace(key(name), [claim(name, created)])
    assert first(claims) == "a"
    claims.replace(key("a"), [])
    assert first(claims) == "b"
    claims.forget(key("b"))
    assert first(claims) == "c"


def test_the_first_ones_wish_is_the_one_that_it_has_now() -> None:
    claims = Claims()
    claims.replace(key("a"), [claim("a", "1", text=b"old")])
    assert claims.first(GATEWAY) == claim("a", "1", text=b"old")
    claims.replace(key("a"), [claim("a", "1", text=b"new")])
    assert claims.first(GATEWAY) == claim("a", "1", text=b"new")


def test_a_policy_that_was_made_anew_goes_behind_the_older_ones() -> None:
    claims = Claims()
    for name, created in (("a", "1"), ("b", "2")):
        claims.replace(key(name), [claim(name, created)])
    assert first(claims) == "a"
    claims.replace(key("a"), [claim("a", "3")])
    assert first(claims) == "b"


@given(STEPS)
def test_whatever_happens_the_first_is_the_first_of_all(steps: list[Step]) -> None:
    claims = Claims()
    for name, wishes in steps:
        if wishes is None:
            if claims.decided(key(name)):
                claims.forget(key(name))
        else:
            claims.replace(key(name), [claim(name, wishes[n], REFS[n]) for n in wishes])
        for ref in REFS:
            assert claims.first(ref) == next(iter(claims.of(ref)), None)


def test_asking_who_is_first_does_not_look_at_everybody() -> None:
    """Each policy asks whenever it is decided: a thousand of them must not sort a thousand wishes each."""
    claims = Claims()
    for number in range(1000):
        claims.replace(key(f"p{number}"), [claim(f"p{number}", f"{number:04}", of=Counted)])
    claims.first(GATEWAY)
    Counted.compared = 0
    for number in range(1000):
        claims.replace(key(f"p{number}"), [claim(f"p{number}", f"{number:04}", text=b"new", of=Counted)])
        assert first(claims) == "p0"
    assert Counted.compared <= 2 * 1000
