"""The corrupted run: noise on the embeddings of a concept's tokens, in every text tower."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from surgery.hooks import Hook
from surgery.model import Model
from surgery.runs.base import Case, Sampling


def noise_hooks(model: Model, cases: Sequence[Case | None], sampling: Sampling) -> list[Hook]:
    """Hooks that add each row's noise where its subject's tokens are embedded.

    Args:
        cases: one for each row of the batch; None leaves a row clean.

    Source: Meng et al. 2022, arXiv 2202.05262, appendix B.1: three standard deviations of the
    subject's own embeddings.
    """
    return [
        Hook(
            model.modules(f"{tower}.embedding")[0], "output", _adding(model, tower, cases, sampling)
        )
        for tower in model.towers
    ]


def _adding(
    model: Model, tower: str, cases: Sequence[Case | None], sampling: Sampling
) -> Callable[[Tensor], Tensor]:
    def add(embedded: Tensor) -> Tensor:
        changed = embedded.clone()
        for row, case in enumerate(cases):
            if case is not None:
                first, last = model.tokens(tower).subject_span(case.pair.source, case.pair.subject)
                own = embedded[row, first : last + 1]
                scale = sampling.noise * float(own.float().std())
                changed[row, first : last + 1] += (scale * _noise(case, own)).to(own)
        return changed

    return add


def _noise(case: Case, own: Tensor) -> Tensor:
    """Of the draw alone: every prompt and seed of a draw meets the same noise."""
    return torch.randn(own.shape, generator=torch.Generator().manual_seed(case.draw))
