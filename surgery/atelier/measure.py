"""What the shipped weights can do, measured: `python -m surgery.atelier.measure`.

Writes figures.json and the model card (README.md) beside the weights.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from torch import Tensor

from surgery.atelier.card import card
from surgery.atelier.exam import SetReading, examine, held_out_set, prompt_sets
from surgery.atelier.export import WEIGHTS
from surgery.atelier.figures import Figures
from surgery.atelier.judge import load_judge
from surgery.atelier.train import Settings
from surgery.atelier.world import FACTS, TRADEMARK
from surgery.atelier.zero_shot import zero_shot
from surgery.model import GUIDANCE, STEPS, generate, load_model
from surgery.report import Share

log = logging.getLogger("surgery.atelier")


def measure(weights: Path) -> Figures:
    """Has every prompt set painted and judged."""
    model = load_model(weights / "pipeline")

    def paint(prompts: Sequence[str], seeds: Sequence[int]) -> Tensor:
        return generate(model, prompts, seeds)

    judge = load_judge(weights / "judge.safetensors")
    *seen, unseen = examine((*prompt_sets(), held_out_set()), paint, judge)
    return Figures(
        steps=STEPS,
        guidance=GUIDANCE,
        settings=asdict(Settings()),
        settings_hash=Settings().fingerprint,
        pictures=summary(seen, unseen),
        zero_shot=zero_shot(weights / "clip", weights / "pipeline" / "tokenizer"),
    )


def summary(seen: Sequence[SetReading], unseen: SetReading) -> dict[str, Share]:
    """The shares that the card promises, over all sets that speak of each."""
    styles = [one for one in seen if one.asked.kind in ("style", "plain")]
    coloured = [one for one in seen if one.asked.concept not in (TRADEMARK, *FACTS)]
    return {
        "style": _over(styles, "concept"),
        "object": _over(coloured, "thing"),
        "colour": _over(coloured, "colour"),
        "trademark": _over([one for one in seen if one.asked.concept == TRADEMARK], "concept"),
        "facts": _over([one for one in seen if one.asked.kind == "fact"], "concept"),
        "held-out style": _over([unseen], "concept"),
        "held-out object": _over([unseen], "thing"),
        "held-out colour": _over([unseen], "colour"),
    }


def _over(readings: Sequence[SetReading], figure: str) -> Share:
    count = sum(one.count for one in readings)
    right = sum(getattr(one, figure) * one.count for one in readings)
    return Share.of(right / count, count)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    weights: Path = parser.parse_args().weights
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    figures = measure(weights)
    (weights / "figures.json").write_text(figures.to_json() + "\n", "utf-8")
    (weights / "README.md").write_text(card(figures), "utf-8")
    log.info("%s", card(figures))


if __name__ == "__main__":
    main()
