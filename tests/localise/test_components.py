"""A concept's scores and their report, from a question and a tiny model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from surgery.apply import apply
from surgery.edits.neuron_dropout import NeuronDropout
from surgery.edits.scores import Scores
from surgery.errors import UsageError
from surgery.localise.components import component_report, score_components, what_to_score
from surgery.localise.drafted import drafted_mask
from surgery.localise.wish import Circumstance, Wish
from surgery.questions import Question
from surgery.recipe import load_recipe
from surgery.report import ComponentReport, Cost
from surgery.score_file import write_scores
from surgery.store.checkpoint import Checkpoint, open_checkpoint
from tests.helpers.probing import folder, model

WISH = Wish("van gogh", "painting", "style", ("a star by {}", "{}"), "conceptprune", seeds=1,
            steps=2, where="ff.out[0:2]")  # fmt: skip
HERE = Circumstance()


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return open_checkpoint(folder("sd1"))


@pytest.fixture(scope="module")
def found(checkpoint: Checkpoint) -> tuple[ComponentReport, Scores]:
    return score_components(checkpoint, WISH, HERE)


def asked() -> tuple[Question, Cost]:
    question, _ = what_to_score(open_checkpoint(folder("sd1")), WISH, "cpu")
    return question, Cost(1, 1.0, 1.0)


def test_what_is_scored_are_the_questions_prompts(checkpoint: Checkpoint) -> None:
    question, wanted = what_to_score(checkpoint, WISH, "cpu")
    assert wanted.pairs == tuple((pair.source, pair.target) for pair in question.pairs)
    assert wanted.sites == ("ff.out[0]", "ff.out[1]")
    assert (wanted.steps, wanted.seeds) == (2, (0,))


def test_a_report_tells_of_every_matrix_and_comes_back_from_json(
    found: tuple[ComponentReport, Scores],
) -> None:
    report, scores = found
    assert [one.site for one in report.sites] == list(scores.values)
    assert all(one.positive + one.negative <= one.count for one in report.sites)
    assert report.cost is not None and report.cost.evaluations > 0
    assert ComponentReport.from_json(report.to_json()) == report


def test_the_components_that_stand_out_are_the_largest_of_all_matrices() -> None:
    question, cost = asked()
    _, wanted = what_to_score(open_checkpoint(folder("sd1")), WISH, "cpu")
    draw = np.random.default_rng(0)
    values = {f"ff.out[{n}]": draw.standard_normal((9, 30)) for n in range(2)}
    scores = Scores("attribution", values)
    report = component_report(scores, "m", model("sd1"), (question, wanted, cost))
    every = np.concatenate([one.ravel() for one in values.values()])
    assert [one.score for one in report.positive] == sorted(every, reverse=True)[:20]
    assert [one.score for one in report.negative] == sorted(every)[:20]
    first = report.positive[0]
    assert values[first.site][first.row, first.column or 0] == first.score


def test_scores_of_rows_name_rows() -> None:
    question, cost = asked()
    _, wanted = what_to_score(open_checkpoint(folder("sd1")), WISH, "cpu")
    scores = Scores("neurons", {"cross_attn.v[0]": np.array([0.5, -2.0, 3.0])})
    report = component_report(scores, "m", model("sd1"), (question, wanted, cost))
    assert report.unit == "row"
    assert [one.name for one in report.positive] == ["cross_attn.v[0][2]", "cross_attn.v[0][0]"]


def test_a_drafted_mask_is_made_by_the_scores_that_were_kept(
    tmp_path: Path, checkpoint: Checkpoint, found: tuple[ComponentReport, Scores]
) -> None:
    kept, recipe = tmp_path / "s.safetensors", tmp_path / "mask.yaml"
    write_scores(found[1], kept)
    recipe.write_text(drafted_mask(asked()[0], WISH, checkpoint, kept, recipe), "utf-8")
    loaded = load_recipe(recipe)
    assert loaded.name == "mask_van_gogh"
    report = apply(loaded, checkpoint, dry_run=True)
    assert sum(one.zeroed for one in report.tensors) > 0
    assert [leak.wording for leak in report.leaks] == ["score"]
    assert [drift.group for drift in report.drifts] == ["neutral"]
    assert str(tmp_path) not in loaded.to_json() and "s.safetensors" in loaded.to_json()


def test_scores_in_another_folder_cannot_be_named(tmp_path: Path, checkpoint: Checkpoint) -> None:
    kept = tmp_path / "a" / "s.safetensors"
    with pytest.raises(UsageError, match="outside the recipe's folder"):
        drafted_mask(asked()[0], WISH, checkpoint, kept, tmp_path / "mask.yaml")


def neurons(**more: object) -> NeuronDropout:
    """The edit that is drafted for the built-in model."""
    wish = replace(Wish("van gogh", method="neurons", prompts=2), **more)  # type: ignore[arg-type]
    atelier = open_checkpoint("atelier")
    question, _ = what_to_score(atelier, wish, "cpu")
    (edit,) = load_recipe(drafted_mask(question, wish, atelier, None, Path("r.yaml"))).edits
    assert isinstance(edit, NeuronDropout)
    return edit


def test_of_neurons_directions_are_dropped_on_all_prompts_there_are() -> None:
    edit = neurons()
    assert (edit.basis, edit.where, edit.scores) == ("aligned", "cross_attn.v", None)
    assert len(edit.concepts[0].prompts or ()) == 24


def test_of_neurons_ones_own_prompts_and_place_are_taken() -> None:
    own = ("a mural of a tree in the style of {}", "a tree by {}")
    edit = neurons(own_prompts=own, where="cross_attn.{k,v}[2:5]")
    assert edit.where == "cross_attn.{k,v}[2:5]"
    assert [source for source, _ in edit.concepts[0].prompts or ()] == [*own]


@pytest.mark.parametrize("where", ["ff.in[2]", "cross_attn.v[2], ff.out"])
def test_no_recipe_is_drafted_that_apply_would_refuse(where: str) -> None:
    with pytest.raises(UsageError, match="no recipe follows from scores of") as caught:
        neurons(where=where)
    assert "leave --recipe out" in str(caught.value)


def test_no_concept_is_one_sentence(checkpoint: Checkpoint) -> None:
    with pytest.raises(UsageError, match="scored for one concept"):
        what_to_score(checkpoint, Wish(method="conceptprune"), "cpu")


def test_a_setting_of_another_method_is_refused(checkpoint: Checkpoint) -> None:
    with pytest.raises(UsageError, match="conceptprune has no --goal"):
        what_to_score(checkpoint, replace(WISH, goal="amplify"), "cpu")
