"""From what a probe found to a recipe that can be applied, or a refusal in time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from surgery.edits.locoedit import LocoEdit
from surgery.edits.quickfix import QuickFix
from surgery.edits.uce import Uce
from surgery.errors import UsageError
from surgery.layout import Layout, detect
from surgery.localise.drafted import DRAFTED, drafted, evidence, must_be_drafted
from surgery.localise.probe import probe
from surgery.localise.wish import Wish
from surgery.plan import make_plan
from surgery.probes import PROBES
from surgery.recipe import load_recipe
from surgery.report import ProbeReport, Score
from surgery.report.findings import headline
from surgery.store.checkpoint import open_checkpoint
from tests.helpers import probe_reports

CONCEPTS = (
    ("van gogh", "painting", "style"),
    ("r2d2", "star", "object"),
    ("the flag of freedonia", "the flag of sylvania", "fact"),
)


def report(method: str = "locogen", found: str | None = None) -> ProbeReport:
    made = probe_reports.trace_text() if method == "trace_text" else probe_reports.locogen()
    place = "text.self_attn[0] at last" if method == "trace_text" else made.found
    return replace(made, method=method, model="atelier", found=place if found is None else found)


def atelier() -> Layout:
    return detect(open_checkpoint("atelier"))


def text(given: ProbeReport, *own_prompts: str) -> str:
    return drafted(given, "atelier", 10, own_prompts)


@pytest.mark.parametrize("concept", CONCEPTS, ids=[one[2] for one in CONCEPTS])
@pytest.mark.parametrize("method", DRAFTED)
@pytest.mark.parametrize("is_found", [True, False])
def test_every_draft_is_a_recipe_that_the_model_takes(
    method: str, concept: tuple[str, str, str], is_found: bool
) -> None:
    if method == "trace_text" and not is_found:
        return
    name, target, sort = concept
    given = replace(
        report(method, None if is_found else ""), concept=name, target=target, sort=sort
    )
    recipe = load_recipe(text(given))
    assert recipe.edits[0].model_dump()["concepts"][0]["erase"] == name
    assert make_plan(recipe, open_checkpoint("atelier")).edits


def test_what_a_probe_really_found_becomes_a_recipe_too() -> None:
    hint = probe("atelier", "r2d2", method="weights", prompts=2)
    assert isinstance(hint, ProbeReport)
    recipe = load_recipe(text(hint))
    assert recipe.model == "atelier"
    assert make_plan(recipe, open_checkpoint("atelier")).edits


@pytest.mark.parametrize("method", ["quick", "locogen", "weights"])
@pytest.mark.parametrize(("found", "edited"), [("2:5", "1:6"), ("0:2", "0:3"), ("8:10", "7:10")])
def test_a_window_is_edited_with_one_layer_more_on_either_side(
    method: str, found: str, edited: str
) -> None:
    (edit,) = load_recipe(text(report(method, f"cross_attn.{{k,v}}[{found}]"))).edits
    assert isinstance(edit, LocoEdit)
    assert edit.where == f"cross_attn.{{k,v}}[{edited}]"


def test_where_no_window_was_found_all_cross_attention_is_edited() -> None:
    (edit,) = load_recipe(text(report(found=""))).edits
    assert isinstance(edit, Uce)


@pytest.mark.parametrize("role", ["last", "end"])
def test_a_traced_first_text_attention_is_edited_by_quickfix(role: str) -> None:
    given = report("trace_text", f"text.self_attn[0] at {role}")
    (edit,) = load_recipe(text(given)).edits
    assert isinstance(edit, QuickFix)
    assert [str(one) for one in edit.sites(atelier())] == ["text.self_attn.out[0]"]


@pytest.mark.parametrize(
    ("found", "named"),
    [
        ("text.mlp[0] at last", "text.mlp[0] at last"),
        ("text.self_attn[1] at end", "text.self_attn[1] at end"),
        ("text2.self_attn[0] at last", "text2.self_attn[0] at last"),
        ("", "what was traced"),
    ],
)
def test_no_recipe_follows_from_other_places_in_the_text(found: str, named: str) -> None:
    with pytest.raises(UsageError, match="find a window: --method quick") as caught:
        text(report("trace_text", found))
    assert str(caught.value).startswith(f"no edit is known for {named}")


def test_prompts_of_ones_own_are_those_of_the_edit() -> None:
    prompt = "a mural of a tree in the style of {}"
    (edit,) = load_recipe(text(report(), prompt)).edits
    assert prompt in [source for source, _ in edit.model_dump()["concepts"][0]["prompts"]]


def test_a_recipe_says_what_it_follows_from() -> None:
    given = report()
    lines = [line.removeprefix("#   ") for line in text(given).splitlines()]
    assert set(evidence(given)) <= set(lines)


def test_evidence_is_the_finding_the_five_best_places_and_how_they_were_measured() -> None:
    given = report()
    first, *places, how = evidence(given)
    assert first == headline(given)
    assert [line.partition("]")[0][-3:] for line in places] == ["2:5", "1:4", "3:6", "4:7", "0:3"]
    assert places[0] == (
        "cross_attn.{k,v}[2:5]: effect >99 % (98 % to 102 %) still shown 0 % of 48"
    )
    assert how == "locogen, judge clip (atelier/clip); seeds 12, steps 20, guidance 3.0"


def test_what_was_not_measured_is_not_told() -> None:
    given = replace(report(), scores=(Score("cross_attn.{k,v}[2:5]", 0.2, 0.0, 1, 0.5),))
    assert evidence(given)[1] == "cross_attn.{k,v}[2:5]: effect 50 %"


@pytest.mark.parametrize("method", DRAFTED)
def test_probes_whose_places_are_edited_are_let_through(method: str) -> None:
    must_be_drafted(Wish("van gogh", method=method))


def test_other_wishes_are_refused_before_anything_is_measured() -> None:
    with pytest.raises(UsageError, match="a recipe without a concept; name one by --concept"):
        must_be_drafted(Wish(None))
    for method in set(PROBES) - set(DRAFTED):
        with pytest.raises(UsageError, match=f"no recipe follows from {method}; use quick or"):
            must_be_drafted(Wish("van gogh", method=method))
