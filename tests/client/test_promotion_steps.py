"""The next step of a promotion, whatever there is."""

import itertools

import pytest

from turnout.client.promotion.steps import Candidate, Facts, Lead, Ready, Step, next_step

THERE, GOING, GONE = Candidate.THERE, Candidate.GOING, Candidate.GONE
NO, MAYBE, YES = Ready.NO, Ready.MAYBE, Ready.YES
ELSEWHERE, CANDIDATE, PRIMARY = Lead.ELSEWHERE, Lead.CANDIDATE, Lead.PRIMARY


@pytest.mark.parametrize(
    ("promoted", "ready", "candidate", "lead", "restored", "step"),
    [
        (False, YES, THERE, ELSEWHERE, True, Step.LEAVE),
        (False, YES, THERE, PRIMARY, False, Step.LEAVE),
        (False, NO, THERE, ELSEWHERE, True, Step.LEAVE),
        (False, YES, THERE, CANDIDATE, False, Step.REPLACE),
        (False, YES, GOING, CANDIDATE, False, Step.GIVE_UP),
        (False, YES, GONE, ELSEWHERE, False, Step.GIVE_UP),
        (True, NO, THERE, CANDIDATE, False, Step.AWAIT),
        (True, MAYBE, THERE, CANDIDATE, False, Step.AWAIT),
        (True, NO, THERE, ELSEWHERE, False, Step.LEAVE),
        (True, MAYBE, THERE, ELSEWHERE, False, Step.LEAVE),
        (True, NO, THERE, PRIMARY, False, Step.LEAVE),
        (True, MAYBE, THERE, PRIMARY, False, Step.AWAIT),
        (True, YES, THERE, CANDIDATE, False, Step.SHIFT),
        (True, YES, THERE, ELSEWHERE, True, Step.SHIFT),
        (True, YES, THERE, PRIMARY, False, Step.DELETE),
        (True, YES, GOING, PRIMARY, False, Step.DRAIN),
        (True, NO, GONE, PRIMARY, False, Step.AWAIT),
        (True, YES, GONE, PRIMARY, False, Step.RESTORE),
        (True, YES, GONE, ELSEWHERE, True, Step.FORGET),
    ],
)
def test_onward(
    promoted: bool, ready: Ready, candidate: Candidate, lead: Lead, restored: bool, step: Step
) -> None:
    assert next_step(Facts(promoted, not promoted, ready, candidate, lead, restored)) is step


@pytest.mark.parametrize(
    ("former", "ready", "candidate", "lead", "restored", "step"),
    [
        (False, YES, THERE, PRIMARY, False, Step.LEAVE),
        (False, NO, THERE, ELSEWHERE, False, Step.LEAVE),
        (False, NO, THERE, CANDIDATE, False, Step.PUT_BACK),
        (False, NO, GONE, ELSEWHERE, False, Step.PUT_BACK),
        (True, NO, THERE, CANDIDATE, False, Step.AWAIT),
        (True, MAYBE, THERE, CANDIDATE, False, Step.AWAIT),
        (True, YES, THERE, CANDIDATE, False, Step.RESTORE),
        (True, YES, GONE, ELSEWHERE, True, Step.FORGET),
    ],
)
def test_back(
    former: bool, ready: Ready, candidate: Candidate, lead: Lead, restored: bool, step: Step
) -> None:
    assert next_step(Facts(not former, former, ready, candidate, lead, restored, returning=True)) is step


@pytest.mark.parametrize(
    ("promoted", "ready", "lead", "returning", "step"),
    [
        (False, YES, ELSEWHERE, False, Step.GIVE_UP),
        (False, YES, CANDIDATE, False, Step.GIVE_UP),
        (True, NO, CANDIDATE, False, Step.AWAIT),
        (True, NO, ELSEWHERE, False, Step.AWAIT),
        (True, YES, CANDIDATE, False, Step.SHIFT),
        (True, NO, ELSEWHERE, True, Step.PUT_BACK),
    ],
)
def test_with_a_candidate_that_is_not_ready_any_more(
    promoted: bool, ready: Ready, lead: Lead, returning: bool, step: Step
) -> None:
    """Nothing waits for what it could carry."""
    facts = Facts(promoted, not promoted, ready, THERE, lead, returning=returning, fit=False)
    assert next_step(facts) is step


def every() -> list[Facts]:
    content = ((True, False), (False, True), (False, False), (True, True))
    bools = (False, True)
    return [
        Facts(*of, ready, candidate, lead, restored, returning, fit)
        for of, ready, candidate, lead, restored, returning, fit in itertools.product(
            content, Ready, Candidate, Lead, bools, bools, bools
        )
    ]


def test_no_facts_break_a_rule() -> None:
    """The primary changes only while nothing calls it, and the candidate goes only when nothing needs it."""
    for facts in every():
        step = next_step(facts)
        if step is Step.REPLACE:
            assert facts.lead is CANDIDATE
            assert facts.helps
            assert not facts.returning
        if step is Step.LEAVE:
            assert facts.helps
        if step is Step.PUT_BACK:
            assert facts.lead is CANDIDATE or not facts.helps
            assert facts.returning
        if step is Step.SHIFT:
            assert facts.promoted
            assert facts.ready is YES
        if step is Step.DELETE:
            assert facts.promoted
            assert facts.ready is YES
            assert facts.lead is PRIMARY
            assert not facts.returning
        if step is Step.FORGET:
            assert facts.restored
            assert facts.former if facts.returning else facts.promoted and facts.candidate is GONE


def test_part_of_a_promotion_is_gone_on_with_or_taken_back() -> None:
    """Of several objects some may be replaced, where a process was killed."""
    partly = Facts(False, False, YES, THERE, CANDIDATE)
    assert next_step(partly) is Step.REPLACE
    back = Facts(False, False, YES, THERE, CANDIDATE, returning=True)
    assert next_step(back) is Step.PUT_BACK
