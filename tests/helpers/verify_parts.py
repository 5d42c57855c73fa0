"""Parts of verification reports: pictures, attacks, changed blocks, leak and drift."""

from __future__ import annotations

from surgery.atelier.world import ARTISTS, Scene
from surgery.report import (
    Attack,
    BlockChange,
    Drift,
    Figure,
    Leak,
    Marks,
    Moved,
    PicturePair,
    Spread,
)
from surgery.report.verify import Group
from tests.helpers.probe_reports import thumbnail

VAN_GOGH = "van gogh"
THINGS = (("star", "red"), ("moon", "blue"), ("heart", "green"), ("ladder", "yellow"))


def pair(group: Group, concept: str, thing: int, after: str | None, asked: str = "") -> PicturePair:
    """Two drawn pictures of one thing: in the concept's manner, and in another or none."""
    name, colour = THINGS[thing]
    artist = concept if concept in ARTISTS else None
    then, now = (thumbnail("", Scene(name, colour, one), 40 + thing).png for one in (artist, after))
    marks = Marks(True, after == artist, seen_before=concept, seen_after=after or "plain")
    prompt = f"a painting of a {colour} {name} in the style of {asked or concept}"
    return PicturePair(prompt, 9_000_000 + thing, group, concept, then, now, marks)


def attacks() -> tuple[Attack, ...]:
    """One that brings nothing back, one that brings some."""
    none, some, whole = (Figure.share(one, 24) for one in (0.0, 0.375, 1.0))
    back = tuple(pair("erased", VAN_GOGH, thing, VAN_GOGH) for thing in range(2))
    return (
        Attack(
            "rece",
            VAN_GOGH,
            "The embedding that best brings the old outputs back, in closed form, ridge 0.1.",
            none,
            none,
            original=whole,
        ),
        Attack(
            "paraphrase",
            VAN_GOGH,
            "600 prompts tried, the best 12 painted.",
            none,
            some,
            ("starry swirls by vincent", "a painting by vincent willem"),
            whole,
            {"prompts": 600, "seeds": 2},
            back,
        ),
    )


def blocks() -> tuple[BlockChange, ...]:
    return (BlockChange("text_encoder/encoder.layers.0", 1, 16, 1.527, 0.31),)


def many_blocks() -> tuple[BlockChange, ...]:
    """All cross-attention of a denoiser, as an edit of keys and values changes it."""
    names = [f"unet/down_blocks.{at}" for at in (0, 1, 2)] + ["unet/mid_block.attentions.0"]
    names += [f"unet/up_blocks.{at}" for at in (1, 2, 3)] + ["unet/conv_out"]
    return tuple(
        BlockChange(name, 4 + at, 60, 0.004 * (1 + at % 4), 0.02 + 0.01 * at)
        for at, name in enumerate(names)
    )


def leaks() -> tuple[Leak, ...]:
    figures = {
        "prompts": (0.2, 0.49, 0.6),
        "paraphrases": (0.78, 0.92, 0.92),
        "misspellings": (0.36, 0.48, 0.48),
    }
    return tuple(
        Leak(0, VAN_GOGH, "painting", wording, Spread(0.05, *three, 30))
        for wording, three in figures.items()
    )


def drifts() -> tuple[Drift, ...]:
    most = (Moved("velazquez", Spread(1.0, 1.1, 1.2, 1.28, 1)),)
    return (
        Drift(0, "preserved", 176, Spread(0.01, 0.22, 0.58, 1.28, 176), most),
        Drift(0, "neutral", 617, Spread(0.01, 0.22, 0.48, 1.09, 617), ()),
    )
