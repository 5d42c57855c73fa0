"""Measures component removal on atelier, against masks of the same size drawn at random.

Not a test: `python -m tests.bench.attribution` (about 15 minutes on one core). Scores are made once
for each concept; every ratio, scope and control is a mask of the same scores. Pictures are painted
on the seeds for reporting, 32 of each set; ratios and the floor were chosen on the others.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from surgery import load_recipe, open_checkpoint
from surgery.atelier.exam import FIRST_SEED, PromptSet, SetReading, examine, prompt_sets
from surgery.atelier.judge import Judge, load_judge
from surgery.atelier.pictures import PAINTERS
from surgery.edits.base import Context
from surgery.edits.component_removal import ComponentRemoval
from surgery.edits.delta import Delta, Sparse
from surgery.edits.scores import Scores
from surgery.judges.clip import STYLE
from surgery.judges.towers import load_towers
from surgery.layout import Site
from surgery.model import DiffusersModel, generate, load_model
from surgery.report import Share
from surgery.scores.attribution import Attribution
from surgery.scores.linearity import linearity
from surgery.store.address import locate

RECIPES = Path(__file__).parents[2] / "recipes"
COUNT = 32
OBJECT = {
    "concepts": [
        {
            "erase": "r2d2",
            "target": "star",
            "kind": "object",
            "prompts": [
                *("{}", "a photo of {}", "a painting of {}", "a picture of {}", "an image of {}"),
                *("{} by van gogh", "{} in the style of monet", "a picture of {} by seurat"),
                *("a photo of {} in the style of mondrian", "{} in the style of picasso"),
                *("a painting of {} in the style of hokusai", "a picture of {} by pollock"),
            ],
        }
    ],
    "preserve": ["ball", "ring", "cross", "star", "heart", "moon", "triangle", "ladder"],
    "pictures": 2,
}
HEAD = "| {} | zeroed | shown after | other styles, all and worst | plain | r2d2 and star |"
RULE = "|---|---|---|---|---|---|"
Mask = Mapping[Site, Delta]


@dataclass(frozen=True)
class Bench:
    """The model, the judge, and the sets that pictures are painted for."""

    model: DiffusersModel
    judge: Judge
    sets: tuple[PromptSet, ...]

    def read(self, guidance: float = 3.0) -> dict[str, SetReading]:
        def paint(prompts: Sequence[str], seeds: Sequence[int]) -> torch.Tensor:
            return generate(self.model, prompts, seeds, guidance=guidance)

        return {one.asked.concept: one for one in examine(self.sets, paint, self.judge)}

    def weights(self, edit: ComponentRemoval) -> dict[Site, np.ndarray]:
        sites = edit.sites(self.model.layout)
        found = {site: self.model.owner(str(site)).get_parameter("weight") for site in sites}
        return {site: one.detach().double().numpy() for site, one in found.items()}

    def solved(self, edit: ComponentRemoval, scores: Scores) -> Mask:
        none, no = np.zeros((0, 0)), ()
        context = Context(none, none, none, no, no, np.zeros(0), np.zeros(0), scores)
        return edit.solve(self.weights(edit), context)

    @contextmanager
    def masked(self, mask: Mask) -> Iterator[None]:
        before = {}
        try:
            for site, delta in mask.items():
                weight = self.model.owner(str(site)).get_parameter("weight").data
                before[site] = weight.clone()
                weight.copy_(torch.from_numpy(delta.added_to(weight.double().numpy())))
            yield
        finally:
            for site, value in before.items():
                self.model.owner(str(site)).get_parameter("weight").data.copy_(value)


def bench() -> Bench:
    wanted = [one.first(COUNT) for one in prompt_sets() if one.kind in ("style", "plain")]
    wanted += [one.first(COUNT) for one in prompt_sets() if one.concept in ("r2d2", "star")]
    judge = load_judge(locate("atelier").parent / "judge.safetensors")
    return Bench(load_model(open_checkpoint("atelier")), judge, tuple(wanted))


def scored(bench: Bench, edit: ComponentRemoval) -> Scores:
    return Attribution().score(bench.model, edit.wanted(bench.model.layout))


def at_random(like: Mask, weights: Mapping[Site, np.ndarray], seed: int) -> Mask:
    """As many weights of all, drawn without looking."""
    chance = np.random.default_rng(seed)
    ends = np.cumsum([weight.size for weight in weights.values()])
    drawn = np.sort(chance.choice(int(ends[-1]), _size(like), replace=False))
    made: dict[Site, Delta] = {}
    parts = np.split(drawn, np.searchsorted(drawn, ends[:-1]))
    for part, end, (site, weight) in zip(parts, ends, weights.items(), strict=True):
        places = part - (end - weight.size)
        made[site] = Sparse(places, -weight.ravel()[places], (weight.shape[0], weight.shape[1]))
    return made


def _size(mask: Mask) -> int:
    return sum(len(delta.index) for delta in mask.values() if isinstance(delta, Sparse))


def row(bench: Bench, name: str, concept: str, mask: Mask, total: int) -> str:
    with bench.masked(mask):
        found = bench.read()
    others = {
        key: one for key, one in found.items() if one.asked.kind == "style" and key != concept
    }
    worst = min(others, key=lambda key: others[key].concept)
    mean = float(np.mean([one.concept for one in others.values()]))
    things = ", ".join(_share(found[key].concept) for key in ("r2d2", "star") if key != concept)
    return (
        f"| {name} | {_size(mask) / total:.2%} | {_share(found[concept].concept, full=True)} "
        f"| {mean:.1%}; {worst} {_share(others[worst].concept)} "
        f"| {_share(found['plain'].concept)} | {things} |"
    )


def _share(value: float, *, full: bool = False) -> str:
    share = Share.of(value, COUNT)
    return f"{value:.0%} ({share.low:.0%} to {share.high:.0%})" if full else f"{value:.0%}"


def erased(bench: Bench, edit: ComponentRemoval, cases: Mapping[str, Mapping[str, object]]) -> None:
    """One table: masks of one set of scores, and a random one as large as the last."""
    scores, weights = scored(bench, edit), bench.weights(edit)
    concept, total = edit.concepts[0].erase, sum(one.size for one in weights.values())
    say(HEAD.format(concept), RULE)
    mask: Mask = {}
    for name, changes in cases.items():
        mask = bench.solved(edit.model_copy(update=dict(changes)), scores)
        say(row(bench, name, concept, mask, total))
    say(row(bench, "as many at random", concept, at_random(mask, weights, 1), total))
    say(row(bench, "nothing", concept, {}, total), "")


def published(bench: Bench, edit: ComponentRemoval) -> None:
    """As published, and its scores at larger ratios."""
    given = edit.model_dump(include={"concepts"}) | {"setting": "published", "steps": 20}
    own = ComponentRemoval.model_validate(given)
    scores, total = scored(bench, own), sum(one.size for one in bench.weights(own).values())
    say(HEAD.format("as published"), RULE)
    for ratio, rounding in ((0.001, "up"), (0.01, "up"), (0.02, "up")):
        mask = bench.solved(own.model_copy(update={"ratio": ratio, "rounding": rounding}), scores)
        say(row(bench, f"{ratio:.1%} of each row", "van gogh", mask, total))
    say("")


def straight(bench: Bench, edit: ComponentRemoval) -> None:
    """The linearity check, on few prompts."""
    concept = edit.concepts[0]
    few = concept.model_copy(update={"prompts": (concept.prompts or ())[:4]})
    wanted = edit.model_copy(update={"concepts": (few,), "held": 0}).wanted(bench.model.layout)
    scores = Attribution().score(bench.model, wanted)
    for ratio in (0.0001, 0.001):
        found = linearity(bench.model, wanted, scores, ablations=100, ratio=ratio)
        r, (low, high) = found.pearson, found.interval
        say(
            f"random ablations of {ratio:.2%}: Pearson r {r:.3f} ({low:.3f} to {high:.3f}) over 100"
        )
    say("")


@dataclass(frozen=True)
class Strength:
    """How strongly pictures at guidance 1 show a concept.

    Args:
        margins: (n,), by how many logits the judge prefers the concept to the next artist.
        scores: (n,), CLIP score: 100 times the cosine with the concept's own texts.
        right: share that shows the right thing.
    """

    margins: np.ndarray
    scores: np.ndarray
    right: float


def strength(bench: Bench, concept: str) -> Strength:
    """Of the concept's prompts on the seeds for reporting."""
    (asked,) = (one for one in bench.sets if one.concept == concept)
    seeds = [FIRST_SEED["report"] + number for number in range(len(asked.prompts))]
    with torch.no_grad():
        pictures = generate(bench.model, asked.prompts, seeds, guidance=1.0)
        thing, _, artist = bench.judge(pictures)
    own = list(PAINTERS).index(concept)
    rest = torch.cat([artist[:, :own], artist[:, own + 1 :]], 1).amax(1)
    from surgery.atelier.pictures import THINGS

    right = [THINGS[n] == one.thing for n, one in zip(thing.argmax(1), asked.wanted, strict=True)]
    return Strength(
        (artist[:, own] - rest).numpy(), clip_scores(pictures, concept), float(np.mean(right))
    )


def clip_scores(pictures: torch.Tensor, concept: str) -> np.ndarray:
    """By the CLIP that atelier was trained with, which knows its words."""
    towers = load_towers("atelier")
    about = F.normalize(towers.texts([text.format(concept) for text in STYLE]).mean(0), dim=0)
    return (100 * towers.pictures(pictures) @ about).numpy()


def amplified(bench: Bench, edit: ComponentRemoval, ratios: Sequence[float]) -> None:
    """Margins with the negative components gone, and with as many others."""
    scores, weights = scored(bench, edit), bench.weights(edit)
    total, concept = sum(one.size for one in weights.values()), edit.concepts[0].erase
    before = strength(bench, concept)
    say("| gone, at guidance 1 | zeroed | margin | change | CLIP score | change | right thing |")
    say("|---|---|---|---|---|---|---|")
    say(
        f"| nothing | 0 | {before.margins.mean():.2f} | | {before.scores.mean():.2f} | "
        f"| {before.right:.0%} |"
    )
    for ratio in ratios:
        mask = bench.solved(edit.model_copy(update={"ratio": ratio}), scores)
        for name, one in (("negative", mask), ("random", at_random(mask, weights, 1))):
            with bench.masked(one):
                after = strength(bench, concept)
            say(
                f"| {name} | {_size(one) / total:.2%} | {after.margins.mean():.2f} "
                f"| {_change(after.margins - before.margins)} | {after.scores.mean():.2f} "
                f"| {_change(after.scores - before.scores)} | {after.right:.0%} |"
            )
    say("")


def _change(gap: np.ndarray) -> str:
    return f"{gap.mean():+.2f} ± {1.96 * gap.std(ddof=1) / len(gap) ** 0.5:.2f}"


def say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def recipe_edit(name: str) -> ComponentRemoval:
    (edit,) = load_recipe(RECIPES / f"{name}.yaml").edits
    assert isinstance(edit, ComponentRemoval)
    return edit


def main() -> None:
    torch.set_num_threads(1)
    made, style = bench(), recipe_edit("remove_components")
    loud = recipe_edit("amplify_components")
    parts: dict[str, Callable[[], None]] = {
        "style": lambda: erased(
            made,
            style,
            {
                "a unit's weights together": {"granularity": "neuron"},
                "each row": {"scope": "row"},
                "each weight": {"scope": "matrix"},
                "damage not weighed": {"floor": 1e9, "ratio": 0.01},
                **{f"of all {ratio:.0%}": {"ratio": ratio} for ratio in (0.02, 0.04, 0.06, 0.08)},
            },
        ),
        "object": lambda: erased(
            made,
            ComponentRemoval.model_validate(OBJECT),
            {f"of all {ratio:.0%}": {"ratio": ratio} for ratio in (0.01, 0.02, 0.03)},
        ),
        "published": lambda: published(made, style),
        "amplify": lambda: amplified(made, loud, (0.001, 0.005)),
        "linearity": lambda: straight(made, style),
    }
    for name in sys.argv[1:] or parts:
        parts[name]()


if __name__ == "__main__":
    main()
