from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from surgery.edits.base import Context
from surgery.edits.delta import LowRank, Rows
from surgery.edits.neuron_dropout import NeuronDropout
from surgery.edits.scores import Scores
from surgery.errors import EditError, LayoutError
from surgery.layout import Site, detect
from surgery.numerics.neurons import z_values
from tests.helpers.structures import configs, folder

from .contract import OUT, WIDTH, context, frozen, layout

VAN_GOGH = {"erase": "van gogh", "target": "painting"}
SITES = tuple(Site(f"cross_attn.{part}", 0, part, heads=3) for part in "kv")


def dropout(**fields: object) -> NeuronDropout:
    return NeuronDropout.model_validate({"concepts": [VAN_GOGH], **fields})


def native(**fields: object) -> NeuronDropout:
    return dropout(basis="native", **fields)


def weights() -> dict[Site, np.ndarray]:
    draw = np.random.default_rng(7)
    return {site: frozen(draw.standard_normal((OUT, WIDTH))) for site in SITES}


def after(edit: NeuronDropout, given: Context) -> dict[Site, np.ndarray]:
    return {
        site: delta.added_to(weights()[site])
        for site, delta in edit.solve(weights(), given).items()
    }


def scored(values: dict[str, np.ndarray], method: str = "neurons") -> Context:
    return replace(context(), scores=Scores(method, values))


def test_left_out_the_window_is_the_published_one_and_directions_are_of_values() -> None:
    model = detect(folder("sd1"), configs("sd1"))
    assert list(map(str, dropout().sites(model))) == ["cross_attn.v[8]", "cross_attn.v[9]"]
    kinds = {site.kind for site in native().sites(model)}
    assert kinds == {"cross_attn.k", "cross_attn.v"}


def test_where_no_window_is_known_it_asks_for_one() -> None:
    with pytest.raises(LayoutError, match="which of the 2 cross-attention layers"):
        dropout().sites(layout())


def test_weights_that_read_no_text_are_refused() -> None:
    model = detect(folder("sd1"), configs("sd1"))
    with pytest.raises(EditError, match=r"ff\.in\[0\] is neither a key nor a value"):
        native(where="ff.in[0]").sites(model)


def test_the_rows_with_the_largest_z_become_zero_and_no_others() -> None:
    found = after(native(count=4), context())
    z = np.concatenate(
        [z_values(context().keys @ w.T, context().targets @ w.T) for w in weights().values()]
    )
    gone = np.concatenate([(found.get(site, w) == 0).all(axis=1) for site, w in weights().items()])
    assert set(np.flatnonzero(gone)) == set(np.argsort(-np.abs(z))[:4])
    for site, weight in weights().items():
        kept = ~(found.get(site, weight) == 0).all(axis=1)
        np.testing.assert_array_equal(found.get(site, weight)[kept], weight[kept])


def test_a_share_is_of_all_rows_and_never_none() -> None:
    def dropped(**fields: object) -> int:
        return sum(delta.rank for delta in native(**fields).solve(weights(), context()).values())

    assert dropped(share=0.25) == OUT // 2
    assert dropped(share=1e-6) == 1
    assert dropped(count=7) == 7
    assert dropped() == 2 * OUT


def test_rows_that_chance_may_explain_stay() -> None:
    alike = replace(context(), targets=context().keys[::-1].copy())
    assert native(false_discovery=0.05).solve(weights(), alike) == {}


def test_half_the_strength_leaves_half_of_each_row() -> None:
    edit = native(count=3, strength=0.5)
    for site, delta in edit.solve(weights(), context()).items():
        assert isinstance(delta, Rows)
        np.testing.assert_allclose(delta.values, -0.5 * weights()[site][delta.index])


def test_a_score_file_says_which_rows_and_one_serves_any_count() -> None:
    values = {str(site): np.zeros(OUT, np.float32) for site in SITES}
    values["cross_attn.v[0]"][[2, 5, 7]] = [3.0, -9.0, 1.0]
    for count, rows in ((1, [5]), (2, [2, 5]), (3, [2, 5, 7])):
        found = native(count=count, scores="f").solve(weights(), scored(values))
        assert {str(site) for site in found} == {"cross_attn.v[0]"}
        (delta,) = found.values()
        assert isinstance(delta, Rows)
        assert delta.index.tolist() == rows


def test_scores_of_another_method_or_model_are_refused() -> None:
    values = {str(site): np.zeros(OUT, np.float32) for site in SITES}
    with pytest.raises(EditError, match="made by attribution"):
        native(scores="f").solve(weights(), scored(values, "attribution"))
    short = {name: value[:-1] for name, value in values.items()}
    with pytest.raises(EditError, match="of another model"):
        native(scores="f").solve(weights(), scored(short))


def test_the_mean_without_the_concept_can_stay_where_rows_are_dropped() -> None:
    mean = context().targets.mean(axis=0)
    found = after(native(count=5, replace="mean"), context())
    for site, weight in found.items():
        moved = (weight != weights()[site]).any(axis=1)
        np.testing.assert_allclose(weight @ mean, weights()[site] @ mean)
        assert np.linalg.matrix_rank(weight[moved]) == 1


def test_directions_leave_nothing_of_themselves_in_any_head() -> None:
    edit = dropout(directions=2)
    for site, delta in edit.solve(weights(), context()).items():
        assert isinstance(delta, LowRank)
        assert delta.rank == 6
        gaps = (context().keys - context().targets) @ weights()[site].T
        left = (context().keys - context().targets) @ delta.added_to(weights()[site]).T
        for rows in (slice(0, 4), slice(4, 8), slice(8, 12)):
            assert np.linalg.matrix_rank(delta.added_to(weights()[site])[rows]) == 2
            assert np.linalg.norm(left[:, rows]) < np.linalg.norm(gaps[:, rows])


def test_one_head_changes_by_its_own_outputs_alone() -> None:
    whole = dropout().solve(weights(), context())[SITES[1]]
    other = {**weights(), SITES[1]: weights()[SITES[1]].copy()}
    other[SITES[1]][4:] *= -3
    again = dropout().solve(other, context())[SITES[1]]
    np.testing.assert_allclose(
        again.added_to(other[SITES[1]])[:4], whole.added_to(weights()[SITES[1]])[:4]
    )


def test_a_change_of_basis_of_a_head_drops_the_same() -> None:
    turn, _ = np.linalg.qr(np.random.default_rng(8).standard_normal((4, 4)))
    turned = np.kron(np.eye(3), turn)
    given = {site: turned @ weight for site, weight in weights().items()}
    for site, delta in dropout().solve(given, context()).items():
        expected = after(dropout(), context())[site]
        np.testing.assert_allclose(turned.T @ delta.added_to(given[site]), expected, atol=1e-10)


def test_the_mean_without_the_concept_can_stay_where_directions_are_dropped() -> None:
    mean = context().targets.mean(axis=0)
    for site, weight in after(dropout(replace="mean"), context()).items():
        np.testing.assert_allclose(weight @ mean, weights()[site] @ mean)
        assert not np.allclose(weight, weights()[site])


def test_heads_are_the_models_or_else_the_recipes() -> None:
    bare = {replace(site, heads=None): weight for site, weight in weights().items()}
    with pytest.raises(EditError, match="how many heads") as caught:
        dropout().solve(bare, context())
    assert "`heads`" in caught.value.hint
    ours = dropout(heads=3).solve(bare, context())
    for (_, ours_one), (_, models) in zip(
        ours.items(), dropout().solve(weights(), context()).items(), strict=True
    ):
        np.testing.assert_array_equal(ours_one.up, models.up)  # type: ignore[union-attr]


def test_rows_that_heads_do_not_share_out_are_refused() -> None:
    with pytest.raises(EditError, match="do not fall into 5 heads"):
        dropout(heads=5).solve(weights(), context())


def test_states_that_are_not_finite_are_refused() -> None:
    broken = replace(context(), keys=np.full((6, WIDTH), np.nan))
    with pytest.raises(EditError, match="NaN"):
        dropout().solve(weights(), broken)


@pytest.mark.parametrize(
    "fields",
    [
        {"count": 3},
        {"share": 0.1},
        {"false_discovery": 0.05},
        {"scores": "f"},
        {"basis": "native", "directions": 2},
        {"basis": "native", "heads": 2},
        {"basis": "native", "ridge": 0.2},
    ],
)
def test_a_setting_of_the_other_basis_is_an_error(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="says nothing with basis"):
        dropout(**fields)


def test_rows_are_counted_in_one_way_only() -> None:
    with pytest.raises(ValidationError, match="share: count says already"):
        native(count=3, share=0.1)


def test_as_published_outputs_are_compared_at_the_last_place() -> None:
    asks = native(where="cross_attn.v", positions="final").asks(layout())
    assert {ask.position for pair in asks.edited for ask in pair} == {"final"}
    assert native(positions="final").checks(layout())


def test_what_is_scored_is_every_key_and_value_unless_where_says_less() -> None:
    assert len(native().wanted(layout()).sites) == 4
    assert native(where="cross_attn.v[1]").wanted(layout()).sites == ("cross_attn.v[1]",)
    assert dict(native(positions="final").wanted(layout()).settings) == {"place": "final"}
