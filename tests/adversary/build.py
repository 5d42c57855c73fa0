"""Tiny models before and after an edit, a judge that says yes or no, and short budgets."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor, nn

from surgery.adversary.base import Budget, Means, Seeds
from surgery.judges import Mark, Seen, Sees
from surgery.model import DiffusersModel
from surgery.questions import Question
from surgery.report.probes import Best
from tests.helpers.probing import QUESTION, model

TINY = Budget(
    pictures=3, tries=2, search=16, updates=2, examples=2, rows=2, steps=2, guidance=3.0, batch=4
)


@dataclass(frozen=True)
class Bright:
    """Sees the concept in pictures that are brighter than some."""

    limit: float | None = 0.0
    name: ClassVar[str] = "bright"
    sees: ClassVar[Sees] = "pictures"
    anchored: ClassVar[bool] = False

    def best(self, sort: str) -> Best:
        return "least"

    def marks(self, question: Question, seen: Seen) -> list[Mark]:
        assert seen.pictures is not None
        light = seen.pictures.mean((1, 2, 3)).tolist()
        return [Mark(one, None if self.limit is None else one > self.limit) for one in light]


def copied(family: str, change: Callable[[DiffusersModel], None]) -> DiffusersModel:
    """A model of its own, changed in place."""
    found = deepcopy(model(family))
    with torch.no_grad():
        change(found)
    return found


def turned(amount: float = 0.5) -> Callable[[DiffusersModel], None]:
    """What puts one map before all keys and values, as closed-form edits do."""

    def change(found: DiffusersModel) -> None:
        draw, maps = torch.Generator().manual_seed(0), dict[int, Tensor]()
        for layer in found.modules("cross_attn"):
            for name in ("k", "v"):
                weight = projection(layer, name).weight
                width = weight.shape[1]
                if width not in maps:
                    noise = torch.randn(width, width, generator=draw) / width**0.5
                    maps[width] = torch.eye(width) + amount * noise
                weight.copy_(weight @ maps[width])

    return change


def retold(found: DiffusersModel) -> None:
    """Change what every text tower says of the name; the empty prompt stays."""
    for role in found.towers:
        tokens, pair = found.tokens(role), QUESTION.pairs[0]
        first, last = tokens.subject_span(pair.source, pair.subject)
        own = list(tokens.encode(pair.source)[first : last + 1])
        found.modules(f"{role}.embedding")[0].weight[own] *= -3


def projection(layer: nn.Module, name: str) -> nn.Module:
    added = getattr(layer, f"add_{name}_proj", None)
    return layer.get_submodule(f"to_{name}") if added is None else added


def means(
    before: DiffusersModel, after: DiffusersModel, budget: Budget = TINY, **more: object
) -> Means:
    """What attacks are made with, told to nobody."""
    given = Means(before, after, QUESTION, Bright(), budget, Seeds(), lambda label, done: None)
    return replace(given, **more)  # type: ignore[arg-type]


@contextmanager
def painted_seeds(watched: DiffusersModel):
    """Every seed that a model paints with in a block."""
    seen: list[int] = []
    own = watched.denoise

    def denoise(conditioning, seeds, **settings):
        seen.extend(seeds)
        return own(conditioning, seeds, **settings)

    watched.denoise = denoise  # type: ignore[method-assign]
    try:
        yield seen
    finally:
        del watched.denoise


def latents(found: DiffusersModel, told, cases) -> Tensor:
    """Where short runs of an approach end; the empty prompt, which edits move too, is not asked."""
    conditioning, hooks = told(cases)
    seeds = [case.seed for case in cases]
    return found.denoise(conditioning, seeds, steps=2, guidance=1.0, hooks=hooks)


def values(found: DiffusersModel) -> list[Tensor]:
    networks = (found.denoiser, *found.towers.values())
    return [value.clone() for one in networks for value in one.state_dict().values()]
