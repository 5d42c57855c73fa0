"""The preview shows what the recipe erases, and three things that it does not."""

from __future__ import annotations

from surgery.atelier.exam import FIRST_SEED as EXAM_SEEDS
from surgery.pictures.preview import FIRST_SEED, preview_count, shown
from surgery.recipe import load_recipe


def _recipe(concept: str, *more: str) -> str:
    lines = ["version: 1", "name: test", "edits:", "  - method: quickfix", "    concepts:"]
    return "\n".join([*lines, f"      - {concept}", *more, ""])


def test_shows_the_erased_concept_first_and_three_kept() -> None:
    recipe = load_recipe(_recipe("{erase: van gogh, target: painting, kind: style}"))
    rows = shown(recipe)
    assert [row.erased for row in rows] == [True, False, False, False]
    assert rows[0].name == "van gogh"
    assert preview_count(recipe) == 2 * sum(len(row.prompts) for row in rows)


def test_shows_named_preserves_before_the_usual_ones() -> None:
    recipe = load_recipe(_recipe("{erase: monet, kind: style}", "    preserve: [escher]"))
    names = [row.name for row in shown(recipe)]
    assert names[:2] == ["monet", "escher"]
    assert names.count("monet") == 1


def test_asks_for_a_fact_as_it_stands() -> None:
    recipe = load_recipe(_recipe("{erase: the flag of a, target: the flag of b, kind: fact}"))
    assert set(shown(recipe)[0].prompts) == {"the flag of a"}


def test_uses_none_of_the_seeds_that_figures_are_reported_on() -> None:
    assert all(abs(FIRST_SEED - seed) >= 1_000_000 for seed in EXAM_SEEDS.values())
