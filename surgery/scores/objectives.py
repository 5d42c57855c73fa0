"""What components are scored for: J, point by point along samplings.

Latents have the noise of just the time that goes with them. What J holds a prediction against is
fixed before the prediction is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from surgery.edits.scores import Wanted
from surgery.hooks import Hook, intervene
from surgery.model import Conditioning, Model

Share: TypeAlias = Callable[[Tensor], Tensor]
"""What the model says at a point, (n, channels, side, side) -> its summand of J."""


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """Some rows at one time.

    Args:
        latents: (n, channels, side, side).
        told: n prompts.
        share: of what the model says there.
    """

    latents: Tensor
    time: Tensor
    told: Conditioning
    share: Share


Ask: TypeAlias = Callable[[Point], Tensor]
"""Has the model asked at a point, and gives what it said."""


class Sampling:
    """Guided samplings of prompts, each with every seed, all taken one step at a time.

    Args:
        prompts: m of them; with s seeds there are n = m s rows.
        batch: rows that are run at once.
        hooks: in force where the model is asked without the concept.
        latents: (n, channels, side, side), where the samplings are.
    """

    def __init__(
        self,
        model: Model,
        wanted: Wanted,
        prompts: Sequence[str],
        *,
        batch: int,
        hooks: Sequence[Hook] = (),
    ) -> None:
        self.model, self.wanted, self.batch, self.hooks = model, wanted, batch, hooks
        self.schedule = model.schedule(wanted.steps)
        self.told = self.encoded(prompts)
        self.latents = model.noise(list(wanted.seeds) * len(prompts))

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.latents)

    def encoded(self, prompts: Sequence[str]) -> Conditioning:
        """Prompts, each as often as there are seeds; the empty one as guidance tells it."""
        whole = [self.model.encode([text]) if text else self.model.empty(1) for text in prompts]
        often = len(self.wanted.seeds)
        return Conditioning.cat([one.rows([0] * often) for one in whole])

    def batches(self) -> Iterator[slice]:
        """Which rows go together."""
        for begin in range(0, len(self), self.batch):
            yield slice(begin, min(begin + self.batch, len(self)))

    def point(self, rows: slice, time: Tensor, share: Share) -> Point:
        """Where the rows are now; it stays there when they go on."""
        return Point(self.latents[rows].clone(), time, self.told.rows(rows), share)

    def without(self, rows: slice, time: Tensor, *told: Conditioning) -> list[Tensor]:
        """What the model says of the rows where it is told otherwise, and then nothing.

        The last is what guidance holds the prompt against; left out where there is no guidance.
        """
        if self.wanted.guidance != 1:
            told = (*told, self.model.empty(rows.stop - rows.start))
        if not told:
            return []
        here = torch.cat([self.latents[rows]] * len(told))
        with torch.no_grad(), intervene(self.hooks):
            said = self.model.predict(here, time, Conditioning.cat(told))
        return list(said.chunk(len(told)))

    def go_on(self, rows: slice, time: Tensor, said: Tensor, empty: Sequence[Tensor]) -> None:
        """Take the rows one step on, by what the model said with the prompt and without any."""
        if empty:
            said = empty[0] + self.wanted.guidance * (said - empty[0])
        self.latents[rows] = self.schedule.step(said, time, self.latents[rows])


class Erase:
    """J = E |sg[Phi(x_t, c_b, t)] - Phi(x_t, c, t)|^2: large where the concept is seen.

    c_b is the same prompt without the concept, or the empty one. x_t is the guided sampling of c;
    where it is wanted `along` both, that of c_b as often, which is where samplings go once the
    concept is out.

    Source: Nguyen et al. 2025, arXiv 2412.02542, CAD-Erase.
    """

    def __init__(self, model: Model, wanted: Wanted, batch: int, hooks: Sequence[Hook]) -> None:
        sources, plain = zip(*wanted.pairs, strict=True)
        often = 2 if wanted.setting("along") == "both" else 1
        self.sampling = Sampling(model, wanted, sources * often, batch=batch, hooks=hooks)
        self.plain = self.sampling.encoded(plain * often)
        self.own = len(self.sampling) // often

    def step(self, number: int, ask: Ask) -> None:
        """Ask at all rows of one step, and go on to the next."""
        walk = self.sampling
        time = walk.schedule.times[number]
        for rows in walk.batches():
            answer, *empty = walk.without(rows, time, self.plain.rows(rows))
            said = ask(walk.point(rows, time, _gap(answer)))
            # The first rows follow the concept, the others the prompt without it.
            follows = torch.arange(rows.start, rows.stop, device=said.device) < self.own
            walk.go_on(rows, time, torch.where(follows[:, None, None, None], said, answer), empty)


class Amplify:
    """J = -E |eps - Phi(x_t, c, t)|^2 on the model's own pictures of the concept.

    Pictures stay the latents that the sampling ends with: no decoder, and no scale to get wrong.

    Source: Nguyen et al. 2025, arXiv 2412.02542, CAD-Amplify.
    """

    def __init__(self, model: Model, wanted: Wanted, batch: int, hooks: Sequence[Hook]) -> None:
        sources = [source for source, _ in wanted.pairs]
        self.sampling = Sampling(model, wanted, sources, batch=batch, hooks=hooks)

    def step(self, number: int, ask: Ask) -> None:
        """Ask at all rows at one time, each with noise of its own."""
        walk = self.sampling
        if number == 0:
            self._paint()
        time = walk.schedule.times[number]
        noise = drawn(torch.randn, number, walk.latents)
        for rows in walk.batches():
            picture, own = walk.latents[rows], noise[rows]
            share = _minus(_gap(walk.schedule.meant(picture, own, time)))
            noised = walk.schedule.noisy(picture, own, time)
            ask(Point(noised, time, walk.told.rows(rows), share))

    def _paint(self) -> None:
        walk, wanted = self.sampling, self.sampling.wanted
        seeds = list(wanted.seeds) * len(wanted.pairs)
        for rows in walk.batches():
            told = walk.told.rows(rows)
            walk.latents[rows] = walk.model.denoise(
                told, seeds[rows], steps=wanted.steps, guidance=wanted.guidance
            )


class Held:
    """The prediction along signs drawn at random, for prompts that should stay as they are.

    The expected square of its gradient by a weight is the sum of the squares of the derivatives of
    all that is predicted: w^2 times it is what J = E |Phi_w - Phi|^2 grows by when the weight goes,
    to second order.

    Source: Martens & Grosse 2015, arXiv 1503.05671, section 5 (curvature from sampled outputs); the
    diagonal as in LeCun et al. 1990, Optimal Brain Damage.
    """

    def __init__(self, model: Model, wanted: Wanted, batch: int, hooks: Sequence[Hook]) -> None:
        self.sampling = Sampling(model, wanted, wanted.held, batch=batch, hooks=hooks)

    def step(self, number: int, ask: Ask) -> None:
        """Ask at all rows of one step, and go on to the next."""
        walk = self.sampling
        time = walk.schedule.times[number]
        signs = drawn(torch.rand, number, walk.latents).sub_(0.5).sign_()
        for rows in walk.batches():
            empty = walk.without(rows, time)
            said = ask(walk.point(rows, time, _along(signs[rows])))
            walk.go_on(rows, time, said, empty)


OBJECTIVES: dict[str, type[Erase] | type[Amplify]] = {"erase": Erase, "amplify": Amplify}


def drawn(draw: Callable[..., Tensor], number: int, like: Tensor) -> Tensor:
    """Chance of one step, the same whatever ran before."""
    chance = torch.Generator().manual_seed(number)
    found: Tensor = draw(like.shape, generator=chance)
    return found.to(like.device)


def _gap(answer: Tensor) -> Share:
    return lambda said: (answer - said).square().sum()


def _minus(share: Share) -> Share:
    return lambda said: -share(said)


def _along(signs: Tensor) -> Share:
    return lambda said: (signs * said).sum()
