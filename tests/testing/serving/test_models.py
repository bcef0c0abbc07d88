"""Which model answers, and when the next one does."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.testing.serving.services import service
from turnout.testing.serving import Model, Models, State

A, B, C = (Model(f"wisdom__isvc-{letter * 10}", letter) for letter in "abc")
SECONDS = 10.0


@pytest.fixture
def models() -> Models:
    return Models(SECONDS)


@pytest.fixture
def loaded(models: Models) -> Models:
    models.put("wisdom", A, 0.0)
    models.advance(SECONDS)
    return models


class TestFirstModel:
    def test_answers_once_it_is_loaded(self, models: Models) -> None:
        assert models.put("wisdom", A, 0.0)
        assert models.serving("wisdom") is None
        assert models.advance(9.9) == []
        assert models.advance(10.0) == ["wisdom"]
        assert models.state("wisdom") == State(A, A, None)

    def test_answers_at_once_if_loading_takes_no_time(self) -> None:
        models = Models()
        models.put("wisdom", A, 5.0)
        assert models.serving("wisdom") == A
        assert models.next_due() is None

    def test_answers_at_once_if_it_is_loaded_already(self, models: Models) -> None:
        models.put("wisdom", A, 0.0, loaded=True)
        assert models.serving("wisdom") == A

    def test_that_is_replaced_before_it_is_loaded_never_answers(self, models: Models) -> None:
        models.put("wisdom", A, 0.0)
        models.put("wisdom", B, 9.0)
        assert models.advance(10.0) == []
        assert models.advance(19.0) == ["wisdom"]
        assert models.serving("wisdom") == B

    def test_that_is_told_again_does_not_begin_again(self, models: Models) -> None:
        models.put("wisdom", A, 0.0)
        assert not models.put("wisdom", A, 9.0)
        assert models.next_due() == 10.0


class TestReplacement:
    def test_leaves_the_old_model_answering_until_the_new_one_is_loaded(self, loaded: Models) -> None:
        assert loaded.put("wisdom", B, 20.0)
        assert loaded.state("wisdom") == State(A, B, 30.0)
        loaded.advance(29.9)
        assert loaded.serving("wisdom") == A
        loaded.advance(30.0)
        assert loaded.state("wisdom") == State(B, B, None)

    def test_of_a_replacement_begins_again(self, loaded: Models) -> None:
        loaded.put("wisdom", B, 20.0)
        loaded.put("wisdom", C, 25.0)
        assert loaded.advance(30.0) == []
        assert loaded.serving("wisdom") == A
        loaded.advance(35.0)
        assert loaded.serving("wisdom") == C

    def test_by_the_model_that_answers_still_is_done_at_once(self, loaded: Models) -> None:
        loaded.put("wisdom", B, 20.0)
        loaded.put("wisdom", A, 25.0)
        assert loaded.state("wisdom") == State(A, A, None)
        assert loaded.advance(100.0) == []

    def test_of_a_label_alone_loads_nothing(self, loaded: Models) -> None:
        labelled = Model(A.id, "other")
        assert loaded.put("wisdom", labelled, 20.0)
        assert loaded.state("wisdom") == State(labelled, labelled, None)

    def test_keeps_the_label_of_the_model_that_answers(self, loaded: Models) -> None:
        loaded.put("wisdom", B, 20.0)
        loaded.put("wisdom", Model(B.id, "other"), 21.0)
        assert loaded.state("wisdom") == State(A, Model(B.id, "other"), 30.0)


class TestRemoval:
    def test_unloads_at_once(self, loaded: Models) -> None:
        assert loaded.remove("wisdom")
        assert loaded.state("wisdom") is None
        assert not loaded.remove("wisdom")

    def test_ends_a_load(self, models: Models) -> None:
        models.put("wisdom", A, 0.0)
        models.remove("wisdom")
        assert models.next_due() is None
        assert models.advance(10.0) == []

    def test_makes_the_same_model_load_anew(self, loaded: Models) -> None:
        loaded.remove("wisdom")
        loaded.put("wisdom", A, 20.0)
        assert loaded.state("wisdom") == State(None, A, 30.0)


class TestTime:
    def test_next_is_the_load_that_ends_first(self, models: Models) -> None:
        models.load_in("quick", 1.0)
        models.put("slow", A, 0.0)
        models.put("quick", A, 0.0)
        assert models.next_due() == 1.0
        assert models.advance(1.0) == ["quick"]
        assert models.next_due() == SECONDS

    def test_a_model_that_never_loads_is_not_waited_for(self, loaded: Models) -> None:
        loaded.load_in("wisdom", math.inf)
        loaded.put("wisdom", B, 20.0)
        assert loaded.next_due() is None
        assert loaded.advance(1e9) == []
        assert loaded.serving("wisdom") == A

    def test_a_load_is_finished_by_hand(self, loaded: Models) -> None:
        loaded.put("wisdom", B, 20.0)
        assert loaded.finish("wisdom")
        assert loaded.state("wisdom") == State(B, B, None)
        assert not loaded.finish("wisdom")
        assert not loaded.finish("nobody")

    def test_services_do_not_know_each_other(self, loaded: Models) -> None:
        loaded.put("other", B, 10.0)
        loaded.remove("wisdom")
        assert loaded.names() == ["other"]


class TestModelOfService:
    def test_is_named_as_modelmesh_names_it(self) -> None:
        model = Model.of(service("wisdom-0", version="v7"))
        assert re.fullmatch(r"wisdom-0__isvc-[0-9a-f]{10}", model.id)
        assert model.version == "v7"

    def test_is_another_one_exactly_if_the_spec_is(self) -> None:
        first = service("wisdom-0")
        labelled = service("wisdom-0", version="v1")
        model = dict(reversed(first["spec"]["predictor"]["model"].items()))
        reordered = {**first, "spec": {"predictor": {"model": model}}}
        assert Model.of(labelled).id == Model.of(reordered).id == Model.of(first).id
        assert Model.of(service("wisdom-0", "s3://models/b")).id != Model.of(first).id

    def test_needs_no_labels(self) -> None:
        assert Model.of({"metadata": {"name": "bare"}}).version == ""


puts = st.tuples(st.sampled_from([A, B, C]), st.booleans())
steps = st.one_of(puts, st.just("remove"), st.integers(1, 15))


@given(st.lists(steps, max_size=30))
def test_whatever_happens(happening: list[tuple[Model, bool] | str | int]) -> None:
    """A model answers only if it was asked for and had its time, and nothing but removal takes it away."""
    models, now = Models(SECONDS), 0
    wanted: Model | None = None
    since: dict[str, float] = {}  # when the wanted model was asked for without a break
    answering: Model | None = None
    for step in happening:
        if isinstance(step, int):
            now += step
            models.advance(now)
        elif isinstance(step, str):
            models.remove("wisdom")
            wanted, since, answering = None, {}, None
        else:
            model, loaded = step
            models.put("wisdom", model, now, loaded=loaded)
            if model != wanted:
                since = {model.id: now - SECONDS if loaded else now}
            wanted = model
        if wanted and (wanted == answering or now >= since[wanted.id] + SECONDS):
            answering = wanted
        assert models.serving("wisdom") == answering
        state = models.state("wisdom")
        assert (state.target if state else None) == wanted
        due = models.next_due()
        assert (due is not None) == (wanted != answering)
        assert due is None or due > now
