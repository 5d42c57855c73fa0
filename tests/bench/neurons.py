"""Style dropout on atelier: how many rows or directions a concept is, against chance masks.

Not a test: `python -m tests.bench.neurons [choose|report] [TABLE ...]`.
Prints the tables of README.md's "Neurons". Pictures are of the seeds of the family named; settings
were chosen on the other one. One model at a time, one thread, some 20 seconds each.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from surgery import apply, load_recipe, open_checkpoint
from surgery.atelier.exam import Purpose, SetReading, prompt_sets
from surgery.edits.scores import Scores, sample
from surgery.gather import Weights
from surgery.layout import detect
from surgery.questions.sets import ask
from surgery.recipe import Recipe
from surgery.report import Share
from surgery.score_file import write_scores
from surgery.solve import solve
from surgery.verify import judged
from tests.helpers.planted import UNET, Basis, Planted, plant, slanted

STYLES = ("van gogh", "monet", "seurat", "mondrian", "hokusai", "picasso", "pollock", "escher")
WINDOW, VALUES, ALL = "cross_attn.{k,v}[2:5]", "cross_attn.v[2:5]", "cross_attn.v"
COUNTS = (10, 30, 50, 100, 200, 300, 400)
PLANTED = {VALUES: (1, 2, 3), ALL: (1, 2)}
"""Rows of each head that are planted."""
DRAWS = 3
OTHERS = {"style": 5, "plain": 32, "object": 4, "fact": 4}
"""Pictures of each set beside the concept's own, of which there are 32 to 48."""
HEAD = (
    "| mask | left | now mostly | other styles | plain | objects | facts | worst set |\n"
    + "|---" * 8
    + "|"
)
RECIPE = Path(__file__).parents[2] / "recipes" / "style_dropout.yaml"


@dataclass(frozen=True)
class Bench:
    """Where pictures come from."""

    purpose: Purpose
    work: Path
    model: str = "atelier"

    def row(self, name: str, recipe: Recipe, concept: str = "van gogh") -> str:
        """One edit: what the judge reads of the concept and of everything else."""
        out = self.work / f"{len([*self.work.iterdir()])}"
        apply(recipe, open_checkpoint(self.model), out, allow_weak=True)
        return self.read(name, out, concept)

    def read(self, name: str, out: Path, concept: str = "van gogh") -> str:
        sets = [
            one if one.concept == concept else one.first(OTHERS[one.kind]) for one in prompt_sets()
        ]
        found = judged(out, sets, self.purpose).sets
        (own,) = (one for one in found if one.asked.concept == concept)
        rest = [one for one in found if one is not own]
        kept = [_over([one for one in rest if one.asked.kind == kind]) for kind in OTHERS]
        worst = min(rest, key=lambda one: one.concept)
        left = Share.of(own.concept, own.count)
        told = [f"{left.value:.0%} ({left.low:.0%} to {left.high:.0%} of {left.count})", own.most]
        told += [*kept, f"{worst.asked.concept} {worst.concept:.0%}"]
        return f"| {name} | " + " | ".join(told) + " |"


def _over(found: list[SetReading]) -> str:
    count = sum(one.count for one in found)
    return (
        f"{sum(one.concept * one.count for one in found) / count:.1%} of {count}" if count else "-"
    )


def dropout(concept: str = "van gogh", **settings: object) -> Recipe:
    """The edit on the probe's own questions about a concept."""
    asked = ask(concept, vocabulary="atelier")
    pairs = [[one.source, one.target] for one in asked.pairs]
    about = {"erase": concept, "target": asked.target, "kind": asked.sort, "prompts": pairs}
    edit = {"method": "neuron_dropout", "concepts": [about], **settings}
    return Recipe.model_validate_json(json.dumps({"version": 1, "name": "bench", "edits": [edit]}))


def by_chance(draw: int, where: str, work: Path) -> str:
    """A score file of noise: rows drawn from it are a mask by chance."""
    model, chance = open_checkpoint("atelier"), np.random.default_rng(draw)
    weights, sites = Weights(model), detect(model).select(where)
    values = {str(site): chance.standard_normal(len(weights.value(site))) for site in sites}
    samples = {str(site): sample(weights.value(site)) for site in sites}
    path = work.parent / f"chance-{draw}-{len(sites)}.safetensors"
    write_scores(Scores("neurons", values, {}, {}, samples, {}), path, force=True)
    return str(path)


def rows(bench: Bench) -> Iterator[str]:
    """The curve over the number of rows, by three ways to choose them."""
    ways: Mapping[str, Mapping[str, object]] = {
        "z at the last place (published)": {"where": WINDOW, "positions": "final"},
        "z at name and end": {"where": WINDOW, "positions": "eos"},
    }
    for count in COUNTS:
        for name, way in ways.items():
            edit = dropout(basis="native", count=count, **way)
            yield bench.row(f"{count} of 672 rows, {name}", edit)
        for draw in range(DRAWS):
            file = by_chance(draw, WINDOW, bench.work)
            edit = dropout(basis="native", count=count, where=WINDOW, scores=file)
            yield bench.row(f"{count} of 672 rows by chance, draw {draw}", edit)


def directions(bench: Bench) -> Iterator[str]:
    """One direction of each head, for every style and the trademark."""
    for where, size in ((VALUES, "12 of 336"), (ALL, "40 of 848")):
        for concept in (*STYLES, "r2d2"):
            yield bench.row(f"{size}, {concept}", dropout(concept, where=where), concept)
        for draw in range(DRAWS):
            file, count = by_chance(draw, where, bench.work), int(size.split()[0])
            edit = dropout(basis="native", count=count, where=where, scores=file)
            yield bench.row(f"{size} by chance, draw {draw}", edit)


def recipe(bench: Bench) -> Iterator[str]:
    """The one on the shelf, and the same everywhere."""
    given = load_recipe(RECIPE)
    yield bench.row("style_dropout", given)
    everywhere = given.edits[0].model_copy(update={"where": ALL})
    yield bench.row("the same of all layers", given.model_copy(update={"edits": (everywhere,)}))


def planted(bench: Bench) -> Iterator[str]:
    """Neurons that are there by construction: are they found, and does dropping them do it?"""
    for where in (VALUES, ALL):
        for count in PLANTED[where]:
            yield from _planted(bench, f"{count} a head of {where}", where, count, None)
    yield from _planted(bench, f"1 a head of {VALUES}, slanted", VALUES, 1, slanted)
    for where, count in ((VALUES, 12), (ALL, 80)):
        for draw in range(DRAWS):
            file = by_chance(draw, where, bench.work)
            edit = dropout(basis="native", count=count, where=where, scores=file)
            yield bench.row(f"{count} rows of {where} by chance, draw {draw}", edit)


def _planted(bench: Bench, name: str, where: str, count: int, basis: Basis | None) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        model = plant(Path(folder, "planted"), where=where, count=count, basis=basis)
        truth = {(site, row) for site, own in model.rows.items() for row in own}
        edit = dropout(basis="native", count=len(truth), where=where)
        found = found_rows(edit, model.folder)
        right = len(found & truth)
        told = f"precision {right / len(found):.2f}, recall {right / len(truth):.2f}"
        own = Bench(bench.purpose, bench.work, str(model.folder))
        if count == 1:
            yield own.read(f"{name}: nothing dropped", model.folder)
        yield own.row(f"{name}: {len(found)} found rows dropped ({told})", edit)


def found_rows(edit: Recipe, folder: Path) -> set[tuple[str, int]]:
    """The rows that a native dropout picks in a model."""
    checkpoint = open_checkpoint(folder)
    patch, _ = solve(edit, checkpoint)
    sites = {site.tensor: str(site) for site in detect(checkpoint).select(ALL)}
    return {
        (sites[name], int(row))
        for name, changes in patch.changes.items()
        for row in changes[0].delta.index  # type: ignore[union-attr]
    }


def chance(bench: Bench) -> Iterator[str]:
    """As many directions of each head as the edit drops, drawn by chance."""
    for where, size in ((VALUES, "12 of 336"), (ALL, "40 of 848")):
        for draw in range(DRAWS):
            turn = partial(drawn, np.random.default_rng(draw))
            with tempfile.TemporaryDirectory() as folder:
                model = plant(Path(folder, "turned"), where=where, count=1, basis=turn)
                drop(model)
                yield bench.read(f"{size} directions by chance, draw {draw}", model.folder)


def drawn(chance: np.random.Generator, own: np.ndarray, plain: np.ndarray) -> np.ndarray:
    """A rotation by chance."""
    return np.linalg.qr(chance.standard_normal((own.shape[1], own.shape[1])))[0]


def drop(model: Planted) -> None:
    """Zero the planted rows of a model, whatever they are."""
    tensors = load_file(model.folder / UNET)
    for site in detect(open_checkpoint(model.folder)).select(ALL):
        tensors[site.tensor.removeprefix("unet/")][list(model.rows.get(str(site), ()))] = 0
    save_file(tensors, model.folder / UNET)


TABLES = {
    "rows": rows,
    "directions": directions,
    "chance": chance,
    "recipe": recipe,
    "planted": planted,
}


def main() -> None:
    import torch

    torch.set_num_threads(1)
    purposes = [word for word in sys.argv[1:] if word in ("choose", "report")] or ["report"]
    named = [word for word in sys.argv[1:] if word in TABLES] or list(TABLES)
    for name in named:
        with tempfile.TemporaryDirectory() as folder:
            work = Path(folder, "models")
            work.mkdir()
            sys.stdout.write(f"\n{name}, {purposes[0]}\n\n{HEAD}\n")
            for line in TABLES[name](Bench(purposes[0], work)):  # type: ignore[arg-type]
                sys.stdout.write(f"{line}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
