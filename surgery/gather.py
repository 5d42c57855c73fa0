"""gather: reads what an edit asks for, and nothing else, and turns it into a Context.

For edits of the first text attention that is one tokenizer, the embedding rows that occur, and the
tensors of the first layer; for edits of cross-attention the text towers, one layer at a time. No
model is built.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from surgery.edits.base import Ask, Context, Edit, Matrix, Position, States
from surgery.edits.checks import Check, Checked
from surgery.edits.delta import Array
from surgery.edits.neutral import prompts_without
from surgery.edits.scored import ScoredEdit, TakesScores
from surgery.edits.scores import Scores
from surgery.errors import CheckpointError, EditError
from surgery.figures import BY_SCORE, concepts_of
from surgery.layout import Layout, Site, TextShape
from surgery.numerics.text_prefix import FirstLayer, attended, used_ids
from surgery.patch import Change
from surgery.scaled import numbers, single_rows
from surgery.score_file import read_scores
from surgery.stage import Stage, unwatched
from surgery.store.checkpoint import Checkpoint
from surgery.store.text import visible
from surgery.tokens import Spots, Tokens, find_tokens, spots
from surgery.tokens.check_spots import CheckSpots, check_spots
from surgery.tokens.prompts import Prefix

FIRST_OUTPUT = "self_attn.out"
FIRST_TOWER = "text"


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """The numbers of a checkpoint as the edits made so far leave them; none is kept.

    Args:
        changes: tensor name -> what the edits so far add to it, in order.
        tokenizer: a folder with the tokenizer to use; left out, it is searched for.
    """

    checkpoint: Checkpoint
    changes: Mapping[str, tuple[Change, ...]] = field(default_factory=dict)
    tokenizer: Path | None = None

    def value(self, site: Site) -> Array:
        """The site's numbers: its tensor, or its rows of a shared one.

        Raises:
            EditError: they are not finite, or not of a type that has numbers.
            CheckpointError: the file went away or got shorter.
        """
        if site.tensor not in self.changes:
            return self._finite(numbers(self.checkpoint, site.tensor, site.rows), site.tensor)
        first, last = site.rows or (None, None)
        return self._changed(site.tensor)[first:last]

    def matrix(self, site: Site) -> Matrix:
        """The same in float64."""
        return self.value(site).astype(np.float64)

    def rows(self, site: Site, index: Sequence[int]) -> dict[int, Array]:
        """Single rows of a tall table, without reading the others."""
        ref = self.checkpoint[site.tensor]
        if index and index[-1] >= ref.shape[0]:
            raise CheckpointError(
                f"the tokenizer gives token {index[-1]}, and the table has {ref.shape[0]} rows",
                where=visible(site.tensor),
                hint="the tokenizer belongs to another model",
            )
        if site.tensor in self.changes:
            whole = self._changed(site.tensor)
            return {row: whole[row] for row in index}
        found = single_rows(self.checkpoint, site.tensor, index)
        if found:
            self._finite(np.stack([*found.values()]), site.tensor)
        return found

    def with_change(self, name: str, change: Change) -> Weights:
        """The weights with one more change added to one tensor."""
        added = (*self.changes.get(name, ()), change)
        return replace(self, changes={**self.changes, name: added})

    def _changed(self, name: str) -> Array:
        whole = self._finite(numbers(self.checkpoint, name), name)
        for change in self.changes[name]:
            whole = change.added_to(whole)
        return whole

    def _finite(self, values: Array, name: str) -> Array:
        if not np.isfinite(values).all():
            raise EditError(
                "the weights that the edit needs hold NaN or infinite numbers",
                where=visible(name),
                hint="the model is damaged there",
            )
        return values


def gather(
    edit: Edit,
    layout: Layout,
    weights: Weights,
    checks: Sequence[Check] | None = None,
    stage: Stage = unwatched,
) -> tuple[Context, Checked]:
    """Find the states that an edit is solved on, and those it is measured on.

    Args:
        checks: where to measure; left out, where the edit says.
        stage: told how far runs of the model are, where the edit needs any.

    Raises:
        EditError: the edit needs states that are not computed here, or a prompt is too long.
        CheckpointError: no tokenizer is found, or one of another model.
    """
    if isinstance(edit, ScoredEdit):
        return _scored(edit, layout, weights, stage)
    asked = edit.checks(layout) if checks is None else tuple(checks)
    found, looked = _places(edit, layout, weights, asked)
    states = _STATES[edit.states](found.prefixes + looked.prefixes, edit, layout, weights)
    own, told = len(found.prefixes), _told(edit)
    return replace(found.context(states[:own]), scores=told), looked.checked(states[own:])


def _told(edit: Edit) -> Scores | None:
    """The score file of an edit that reads one beside states."""
    named = isinstance(edit, TakesScores) and edit.scores
    return read_scores(named) if named else None


def _scored(
    edit: ScoredEdit, layout: Layout, weights: Weights, stage: Stage
) -> tuple[Context, Checked]:
    """Scores from the edit's file, or from runs of the model as the edits so far leave it."""
    if edit.scores is not None:
        return _only(read_scores(edit.scores), edit)
    # Imported here because torch is needed by edits that are scored, and by no other.
    from surgery.scores.changed import scores_of

    wanted = edit.wanted(layout)
    found = scores_of(wanted, weights.checkpoint, weights.changes, weights.tokenizer, stage)
    return _only(found, edit)


def _only(scores: Scores, edit: Edit) -> tuple[Context, Checked]:
    """A context of scores alone, and the labels of what can be told by them."""
    none, no = np.zeros((0, 0)), ()
    context = Context(none, none, none, no, no, np.zeros(0), np.zeros(0), scores)
    return context, Checked(none, none, (BY_SCORE,), concepts_of(edit)[:1], np.zeros((1, 0)), ("",))


def _places(
    edit: Edit, layout: Layout, weights: Weights, asked: tuple[Check, ...]
) -> tuple[Spots, CheckSpots]:
    """Where those states are; the vocabulary, which is large, is let go of with this."""
    tokens = _tokens(edit, layout, weights)
    found = spots(edit.asks(layout), tokens)
    neutral = prompts_without({check.concept for check in asked})
    place: Position = "eos" if edit.states == "pooled" else "ends"
    return found, check_spots(asked, [Ask(text, None, place) for text in neutral], tokens)


def _tokens(edit: Edit, layout: Layout, weights: Weights) -> Tokens:
    """The tokens of the first text tower that the edit reads."""
    role = _role(edit.sites(layout)) if edit.states == "first_attention" else FIRST_TOWER
    table = layout.select(f"{role}.token_embedding[0]")[0].tensor
    rows = weights.checkpoint[table].shape[0]
    return find_tokens(weights.checkpoint, layout.tower(role), rows, weights.tokenizer)


def _first_attention(
    prefixes: Sequence[Prefix], edit: Edit, layout: Layout, weights: Weights
) -> Matrix:
    """What the first text attention hands to its output map."""
    role = _role(edit.sites(layout))
    sites = {site.kind.removeprefix(f"{role}."): site for site in edit.reads(layout)}
    whole = [site for site in (*sites.values(), *edit.sites(layout)) if site.rows is None]
    table = sites["token_embedding"].tensor
    weights.checkpoint.prepare(site.tensor for site in whole if site.tensor != table)
    embedding = weights.rows(sites["token_embedding"], used_ids(prefixes))
    layer = _first_layer(sites, weights, layout.tower(role))
    return attended(prefixes, embedding, layer)


def _conditioning(
    prefixes: Sequence[Prefix], edit: Edit, layout: Layout, weights: Weights
) -> Matrix:
    from surgery.text_states import conditioning

    return conditioning(prefixes, layout, weights)


def _pooled(prefixes: Sequence[Prefix], edit: Edit, layout: Layout, weights: Weights) -> Matrix:
    from surgery.text_states import pooled

    (site,) = edit.sites(layout)
    states = pooled(prefixes, layout, weights)
    width = weights.checkpoint[site.tensor].shape[1]
    # What the map reads besides, the picture's sizes, is not the edit's business: zeros.
    return np.pad(states, ((0, 0), (0, width - states.shape[1])))


_STATES: Mapping[States, Callable[[Sequence[Prefix], Edit, Layout, Weights], Matrix]] = {
    "first_attention": _first_attention,
    "conditioning": _conditioning,
    "pooled": _pooled,
}


def _role(sites: Sequence[Site]) -> str:
    """The one text tower whose first attention output the edit changes."""
    roles = {site.kind.removesuffix(f".{FIRST_OUTPUT}") for site in sites}
    first = all(site.kind.endswith(f".{FIRST_OUTPUT}") and site.index == 0 for site in sites)
    if len(roles) != 1 or not first:
        shown = ", ".join(map(str, sites[:3]))
        raise EditError(
            f"the states that {shown} read are not computed by this release",
            hint=f"edits of text.{FIRST_OUTPUT}[0] are",
        )
    return roles.pop()


def _first_layer(sites: Mapping[str, Site], weights: Weights, shape: TextShape) -> FirstLayer:
    return FirstLayer(
        positions=weights.value(sites["position_embedding"]),
        norm_weight=weights.value(sites["norm1.weight"]),
        norm_bias=weights.value(sites["norm1.bias"]),
        q_weight=weights.value(sites["self_attn.q"]),
        q_bias=weights.value(sites["self_attn.q.bias"]),
        k_weight=weights.value(sites["self_attn.k"]),
        k_bias=weights.value(sites["self_attn.k.bias"]),
        v_weight=weights.value(sites["self_attn.v"]),
        v_bias=weights.value(sites["self_attn.v.bias"]),
        heads=shape.heads,
        eps=shape.norm_eps,
    )
