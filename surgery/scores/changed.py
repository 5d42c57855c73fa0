"""Scores of a checkpoint that other edits have changed in memory, and no file holds yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from surgery.edits.scores import Scores, Wanted
from surgery.errors import EditError
from surgery.layout import Layout, detect
from surgery.model import Model, load_model
from surgery.patch import Change
from surgery.scores import SCORERS
from surgery.stage import Stage, unwatched
from surgery.store.checkpoint import Checkpoint
from surgery.store.text import visible


def scores_of(
    wanted: Wanted,
    checkpoint: Checkpoint,
    changes: Mapping[str, Sequence[Change]],
    tokenizer: Path | None = None,
    stage: Stage = unwatched,
) -> Scores:
    """Load a model, make the changes in memory, and score its components.

    Args:
        changes: tensor name in the checkpoint -> what is added to it, in order.

    Raises:
        EditError: a change of a part that is not known by its site.
    """
    model = load_model(checkpoint, tokenizer=tokenizer)
    if changes:
        change(model, detect(checkpoint), changes)
    return SCORERS[wanted.method]().score(model, wanted, stage)


@torch.no_grad()
def change(model: Model, layout: Layout, changes: Mapping[str, Sequence[Change]]) -> None:
    """Make changes of a checkpoint's tensors in a model that was loaded from it.

    Whatever a tensor is called in the checkpoint, its sites have the same names in memory.

    Args:
        layout: of the checkpoint.

    Raises:
        EditError: a change of a part that is not known by its site.
    """
    held = {(site.kind, site.index): site.tensor for site in model.layout.sites}
    sites = {(site.tensor, site.rows): site for site in layout.sites}
    for name, own in changes.items():
        if name in layout.twins.values():
            continue
        for change in own:
            site = sites.get((name, change.rows))
            if site is None:
                raise EditError("what an earlier edit changed cannot be run", where=visible(name))
            parameter = model.parameter(held[site.kind, site.index])
            value = parameter.detach().float().cpu().numpy()
            changed = replace(change, rows=None).added_to(value)
            parameter.copy_(torch.from_numpy(changed.astype(np.float32)))
