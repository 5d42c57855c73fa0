from __future__ import annotations

from dataclasses import replace

import numpy as np

from surgery.cautions import MOST, cautions
from surgery.edits.base import Context
from surgery.edits.component_removal import ComponentRemoval
from surgery.figures import SolvedEdit
from tests.helpers.recipes import recipe
from tests.test_figures import CHECKED, CONTEXT, SOLVED


def held(preserve: list[list[float]], label: str = "a lake") -> SolvedEdit:
    many = len(preserve)
    context: Context = replace(
        CONTEXT,
        preserve=np.array(preserve),
        preserve_labels=(label,) * many,
        preserve_weights=np.ones(many),
    )
    return SolvedEdit(3, recipe().edits[0], context, CHECKED, SOLVED.sites)


def test_a_concept_that_what_is_preserved_holds_too_is_told() -> None:
    (sentence,) = cautions(held([[1e5, 0, 0], [0, 1e5, 0]]))
    assert sentence.startswith("edits[3]: what is preserved holds 'van gogh' too: 2 of its 2 keys")


def test_a_name_to_hold_that_the_model_takes_for_the_concept_is_told_with_its_cosine() -> None:
    (sentence,) = cautions(held([[1.0, 0, 0]], "monet"))
    assert "'van gogh' is erased and 'monet' preserved" in sentence
    assert "(cosine 1.00)" in sentence


def test_what_the_recipe_does_not_name_is_no_cause_for_a_warning() -> None:
    assert list(cautions(held([[1.0, 0, 0]]))) == []


def test_of_many_such_concepts_a_few_are_named_and_the_others_counted() -> None:
    many = held([[1e5, 0, 0], [0, 1e5, 0]])
    names = tuple(f"artist {n}" for n in range(12))
    context = replace(
        many.context,
        keys=np.tile(many.context.keys, (6, 1)),
        targets=np.tile(many.context.targets, (6, 1)),
        key_labels=names,
        key_weights=np.ones(12),
    )
    found = list(cautions(replace(many, context=context)))
    assert len(found) == MOST + 1
    assert found[-1] == f"edits[3]: what is preserved holds {12 - MOST} more of the concepts too"


def test_whoever_makes_a_concept_stronger_is_told_so() -> None:
    concepts = [{"erase": "van gogh", "target": "painting"}]
    quiet, loud = (
        ComponentRemoval.model_validate({"concepts": concepts, "goal": goal})
        for goal in ("erase", "amplify")
    )
    none, no = np.zeros((0, 3)), ()
    empty = Context(none, none, none, no, no, np.zeros(0), np.zeros(0))
    nothing = replace(held([[1.0, 0, 0]]), context=empty)
    assert list(cautions(replace(nothing, edit=quiet))) == []
    (sentence,) = cautions(replace(nothing, edit=loud))
    assert sentence.startswith("edits[3]: amplifies 'van gogh'")
