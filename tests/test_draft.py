"""What a probe drafts is a recipe: it loads, says why, and `apply` takes it as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from surgery.apply import apply
from surgery.draft import draft_recipe
from surgery.edits.locoedit import LocoEdit
from surgery.edits.uce import Uce
from surgery.questions import Pair, Question, ask, questions
from surgery.recipe import load_recipe
from surgery.store.checkpoint import open_checkpoint

WINDOW = "cross_attn.{k,v}[2:5]"
FOUND = [("monet", "5:7"), ("r2d2", "5:6"), ("the flag of freedonia", "4:6")]


def drafted(question: Question, window: str | None = WINDOW, *evidence: str) -> str:
    return draft_recipe(question, window, model="atelier", evidence=evidence)


def monet() -> Question:
    return ask("monet", vocabulary="atelier")


def test_a_draft_edits_the_window_in_the_probes_prompts_and_holds_the_siblings() -> None:
    (edit,) = load_recipe(drafted(monet())).edits
    assert isinstance(edit, LocoEdit)
    assert edit.where == WINDOW
    assert edit.preserve == monet().siblings
    (concept,) = edit.concepts
    assert (concept.erase, concept.target, concept.kind) == ("monet", "painting", "style")
    assert concept.prompts is not None
    shared, own = concept.prompts[:6], concept.prompts[6:]
    assert all("{}" in prompt[0] and "monet" not in prompt[0] for prompt in shared)
    assert own == tuple((pair.source, pair.target) for pair in monet().pairs[6:])


@pytest.mark.parametrize(
    ("found", "layers", "edited"),
    [("[2:5]", 10, "[1:6]"), ("[0:1]", 10, "[0:2]"), ("[8:10]", 10, "[7:10]"), ("[4]", 10, "[4]")],
)
def test_one_more_layer_on_either_side_is_edited_where_there_is_one(
    found: str, layers: int, edited: str
) -> None:
    text = draft_recipe(
        monet(), f"cross_attn.{{k,v}}{found}", model="mine", evidence=(), layers=layers
    )
    (edit,) = load_recipe(text).edits
    assert isinstance(edit, LocoEdit)
    assert edit.where == f"cross_attn.{{k,v}}{edited}"
    assert ("either side" in text) == (found != edited)


def test_without_a_window_all_cross_attention_is_edited() -> None:
    text = drafted(monet(), None)
    (edit,) = load_recipe(text).edits
    assert isinstance(edit, Uce)
    assert edit.where is None
    assert "all cross-attention" in text.splitlines()[0]


def test_the_evidence_stands_above_the_recipe_line_by_line() -> None:
    text = drafted(monet(), WINDOW, "100 % shown", "0 % after [5:7]\nn 16")
    shown = text.split("version:")[0].splitlines()
    assert shown[2:6] == [
        "# What the probe found:",
        "#   100 % shown",
        "#   0 % after [5:7]",
        "#   n 16",
    ]


@pytest.mark.parametrize("question", questions("world"), ids=lambda one: one.concept)
def test_every_built_in_question_makes_a_recipe(question: Question) -> None:
    assert load_recipe(drafted(question)).edits[0].method == "locoedit"


@pytest.mark.parametrize(("concept", "layers"), FOUND)
def test_apply_takes_a_draft_as_it_is_and_its_gates_hold(
    tmp_path: Path, concept: str, layers: str
) -> None:
    question = ask(concept, vocabulary="atelier")
    window = f"cross_attn.{{k,v}}[{layers}]"
    recipe = load_recipe(draft_recipe(question, window, model="atelier", evidence=(), layers=10))
    report = apply(recipe, open_checkpoint("atelier"), tmp_path / "out")
    assert report.gates
    assert all(gate.passed for gate in report.gates)


@pytest.mark.parametrize(
    "name", ["a: b", "#1 {x}", 'the "cat"', "yes", "1e3", "d'ali, s.", "a\u2028b", "猫", "[0]"]
)
def test_no_name_breaks_out_of_the_text(name: str) -> None:
    pair = Pair(f"a picture of {name}", "a picture of a dog", name)
    question = Question(name, "a dog", "object", (pair,), ("something: #else",))
    text = draft_recipe(question, WINDOW, model=name, evidence=[f"{name}\nversion: 2", "\x1b[31m"])
    recipe = load_recipe(text)
    (edit,) = recipe.edits
    assert isinstance(edit, LocoEdit)
    assert (recipe.model, edit.concepts[0].erase, edit.preserve) == (name, name, question.siblings)
    assert edit.concepts[0].prompts == (("a picture of {}", pair.target),)
    assert "\x1b" not in text


def test_prompts_that_do_not_name_the_target_are_left_to_the_templates() -> None:
    usable = Pair("a cat on a hill", "a small dog on a hill", "cat")
    vague = Pair("a cat in a house", "a house", "cat")
    for pairs, expected in (((usable, vague), 1), ((vague,), None)):
        (edit,) = load_recipe(drafted(Question("cat", "dog", "object", pairs))).edits
        assert isinstance(edit, LocoEdit)
        prompts = edit.concepts[0].prompts
        assert (None if prompts is None else len(prompts)) == expected


def test_gates_may_be_given() -> None:
    text = draft_recipe(monet(), WINDOW, model="mine", evidence=(), expect={"leak": {"max": 0.5}})
    expect = load_recipe(text).expect
    assert expect.leak is not None and expect.leak.max == 0.5
    assert expect.neutral is None
