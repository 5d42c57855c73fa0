"""Textual inversion: embeddings of a name that are learned from pictures of the concept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from surgery.adversary.base import Approach, Budget, Found, Means, Told
from surgery.adversary.networks import there
from surgery.hooks import Hook
from surgery.model import Model
from surgery.model.conditioning import encode
from surgery.runs import Case

Vectors = Mapping[str, Tensor]
"""Text tower -> what is learned for it, (tokens of the name, width), float32."""

RATE = 0.5
"""Of a step, in standard deviations of the embedding table: 0.005 to 0.01 for CLIP's."""
BACKWARD = 3
"""Forward runs that a step with its gradient costs."""


@dataclass(frozen=True, slots=True)
class Inversion:
    """Learns new embeddings for the tokens of the name; no weight of the model is changed.

    They begin as those of the name, and go where the edited denoiser best tells the noise in
    pictures that the model before the edit painted. Latents are taken as they come out of the
    sampler, without the way through pixels.

    Source: Gal et al. 2022, arXiv 2208.01618, eq. 2, with as many vectors as the name has tokens.
    """

    def missing(self, means: Means) -> str:
        """Left out by the budget, or where the prompts name the concept in several ways."""
        if not means.budget.updates:
            return "Left out: the budget has no updates."
        cases = means.cases("choose", len(means.question.pairs))
        towers = means.after.towers
        if any(len({_length(means.after, one, case) for case in cases}) > 1 for one in towers):
            return "The prompts name the concept in different numbers of tokens."
        return ""

    def cost(self, budget: Budget) -> int:
        """The pictures to learn from, and the steps."""
        painted = budget.examples * budget.steps * budget.asked
        return painted + BACKWARD * budget.updates * budget.rows if budget.updates else 0

    def find(self, means: Means) -> Found:
        """What is learned in all updates."""
        budget = means.budget
        learned = _learn(means, _examples(means))
        count = len(next(iter(learned.values())))
        return Found(
            best=f"{count} embeddings in place of those of {means.question.concept!r}",
            tried="Textual inversion learned new embeddings for the name's tokens from pictures "
            "that the model painted before the edit.",
            budget=f"{budget.examples} pictures, {budget.updates} updates of {budget.rows}",
            approach=_approach(means.after, learned),
            notes=(
                "It is shown what to paint: it tells that the edited model can still paint the "
                "concept, not that it still knows the name.",
            ),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Examples:
    cases: tuple[Case, ...]
    latents: Tensor


def _examples(means: Means) -> _Examples:
    budget, cases = means.budget, means.cases("choose", means.budget.examples)
    painted = []
    for first in range(0, len(cases), budget.batch):
        some = cases[first : first + budget.batch]
        latents = means.before.denoise(
            means.before.encode([case.pair.source for case in some]),
            [case.seed for case in some],
            steps=budget.steps,
            guidance=budget.guidance,
            on_step=partial(_told, means, budget.asked * len(some)),
        )
        painted.append(latents.to(means.after.device))
    return _Examples(cases, torch.cat(painted))


def _told(means: Means, done: int, *step: object) -> None:
    means.on_step("inversion", done)


def _learn(means: Means, examples: _Examples) -> Vectors:
    model, budget = means.after, means.budget
    learned, rates = {}, []
    for tower in model.towers:
        table = _table(model, tower)
        first, last = _span(model, tower, examples.cases[0])
        ids = model.tokens(tower).encode(examples.cases[0].pair.source)[first : last + 1]
        learned[tower] = table[list(ids)].float().clone().requires_grad_()
        rates.append({"params": [learned[tower]], "lr": RATE * float(table.float().std())})
    optimizer = torch.optim.Adam(rates)
    draw = torch.Generator().manual_seed(means.seeds.choose)
    for _ in range(budget.updates):
        loss = _loss(model, learned, examples, budget.rows, draw)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        means.on_step("inversion", BACKWARD * budget.rows)
    return {tower: vectors.detach() for tower, vectors in learned.items()}


def _loss(
    model: Model, learned: Vectors, examples: _Examples, rows: int, draw: torch.Generator
) -> Tensor:
    """How far the model is from telling the noise in some of the pictures at any times."""
    schedule = model.schedule(1)
    chosen = torch.randint(len(examples.cases), (rows,), generator=draw)
    times = torch.randint(schedule.length, (rows,), generator=draw).to(model.device)
    latents = examples.latents[chosen.to(model.device)]
    noise = torch.randn(latents.shape, generator=draw).to(model.device)
    cases = [examples.cases[number] for number in chosen.tolist()]
    tokens = {tower: model.tokens(tower) for tower in model.towers}
    prompts = [case.pair.source for case in cases]
    told = encode(prompts, model.layout, model.towers, tokens, _hooks(model, learned, cases))
    said = model.predict(schedule.noised(latents, noise, times), times, there(told, model))
    return torch.nn.functional.mse_loss(said, schedule.wanted(latents, noise, times))


def _approach(model: Model, learned: Vectors) -> Approach:
    def told(cases: Sequence[Case]) -> Told:
        prompts = [case.pair.source for case in cases]
        return model.encode(prompts, hooks=_hooks(model, learned, cases)), ()

    return told


def _hooks(model: Model, learned: Vectors, cases: Sequence[Case]) -> list[Hook]:
    return [
        Hook(_embedding(model, tower), "output", _exchange(model, tower, vectors, cases))
        for tower, vectors in learned.items()
    ]


def _exchange(
    model: Model, tower: str, vectors: Tensor, cases: Sequence[Case]
) -> Callable[[Tensor], Tensor]:
    spans = [_span(model, tower, case) for case in cases]

    def exchange(embedded: Tensor) -> Tensor:
        changed = embedded.clone()
        for row, (first, last) in enumerate(spans):
            changed[row, first : last + 1] = vectors.to(embedded)
        return changed

    return exchange


def _span(model: Model, tower: str, case: Case) -> tuple[int, int]:
    return model.tokens(tower).subject_span(case.pair.source, case.pair.subject)


def _length(model: Model, tower: str, case: Case) -> int:
    first, last = _span(model, tower, case)
    return last - first + 1


def _embedding(model: Model, tower: str) -> torch.nn.Module:
    return model.modules(f"{tower}.embedding")[0]


def _table(model: Model, tower: str) -> Tensor:
    table = _embedding(model, tower).weight
    assert isinstance(table, Tensor)
    return table.detach()
