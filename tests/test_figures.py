from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from surgery import figures
from surgery.edits.base import Context
from surgery.figures import Rounded, SolvedEdit
from surgery.layout import Site
from surgery.recipe import Expect, Limit
from surgery.report import Drift, Leak, Spread
from tests.helpers.recipes import recipe

SITE = Site("text.self_attn.out", 0, "t")
W = np.eye(3)
CONTEXT = Context(
    keys=np.array([[1.0, 0, 0], [0, 2.0, 0]]),
    targets=np.array([[0, 1.0, 0], [0, 0, 2.0]]),
    preserve=np.array([[0, 0, 1.0], [0, 0, 2.0], [0, 1.0, 0]]),
    key_labels=("van gogh", "van gogh"),
    preserve_labels=("monet", "monet", "seurat"),
    key_weights=np.ones(2),
    preserve_weights=np.ones(3),
)
SOLVED = SolvedEdit(0, recipe().edits[0], CONTEXT, {SITE: W})


def test_leak_is_zero_where_a_key_gives_what_its_target_gives() -> None:
    after = np.array([[0, 0, 0], [1.0, 0, 0], [0, 1.0, 0]])
    (leak,) = figures.leaks(SOLVED, {SITE: after})
    assert (leak.concept, leak.target, leak.edit) == ("van gogh", "painting", 0)
    assert leak.after == Spread(0.0, 0.0, 0.0, 2)
    assert leak.before.min == pytest.approx(2**0.5)
    assert figures.residual(SOLVED, {SITE: after}) == 0


def test_drift_is_told_by_prompt_in_shares_of_its_output() -> None:
    after = W + np.diag([0, 0, 0.5])
    monet, seurat = figures.drifts(SOLVED, {SITE: after})
    assert (monet.prompt, monet.figure) == ("monet", Spread(0.5, 0.5, 0.5, 2))
    assert (seurat.prompt, seurat.figure.max) == ("seurat", 0.0)


def held(preserve: list[list[float]]) -> SolvedEdit:
    many = len(preserve)
    context = replace(
        CONTEXT,
        preserve=np.array(preserve),
        preserve_labels=("monet",) * many,
        preserve_weights=np.ones(many),
    )
    return SolvedEdit(3, SOLVED.edit, context, {SITE: W})


def test_a_concept_that_what_is_preserved_holds_too_is_told() -> None:
    (sentence,) = figures.blocked(held([[1000.0, 0, 0], [0, 1000.0, 0]]))
    assert sentence.startswith("edits[3]: ")
    assert "'van gogh'" in sentence
    assert list(figures.blocked(held([[0, 0, 1.0]]))) == []


def test_figures_of_a_rounded_tensor() -> None:
    before, solved = np.ones((2, 2)), np.array([[1.0, 1.0], [1.0, 1.4]])
    stored = np.array([[1.0, 1.0], [1.0, 1.5]])
    figure = Rounded(before, solved, stored).figures("t", "F16", 1)
    assert figure.relative_norm == pytest.approx(0.25)
    assert figure.changed == 0.25
    assert figure.lost == pytest.approx(0.25)
    assert "25%" in (figures.coarse(figure) or "")


def test_a_fine_type_is_no_cause_for_a_warning() -> None:
    whole = np.full((2, 2), 1.5)
    assert figures.coarse(Rounded(np.ones((2, 2)), whole, whole).figures("t", "F32", 1)) is None


LEAK = Leak(0, "a", "b", Spread(1, 1, 1, 1), Spread(0.0, 0.1, 0.2, 3))
DRIFT = Drift(0, "c", Spread(0.0, 0.1, 0.3, 3))


@pytest.mark.parametrize(
    ("expect", "passed"),
    [
        (Expect(), []),
        (Expect(leak=Limit(max=0.2)), [True]),
        (Expect(leak=Limit(max=0.19)), [False]),
        (Expect(drift=Limit(max=0.3)), [True]),
        (Expect(leak=Limit(max=1), drift=Limit(max=0.1)), [True, False]),
    ],
)
def test_gates_hold_for_the_largest_figure(expect: Expect, passed: list[bool]) -> None:
    assert [gate.passed for gate in figures.gates(expect, [LEAK], [DRIFT])] == passed


def test_gates_of_an_identity_pass() -> None:
    assert all(gate.passed for gate in figures.gates(Expect(leak=Limit(max=0)), [], []))
