"""Probe reports of each kind as real runs give them, their figures from a fixed generator."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from dataclasses import replace
from functools import cache

import numpy as np
from PIL import Image

from surgery.atelier.world import Scene, draw
from surgery.report import Cost, ProbeReport, Score, Share, SortFinding, SurveyReport, Thumbnail

HOSTILE = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(2)>\x1b[2J\u202e&amp;"
"""A name that would run, close a tag, clear a terminal or turn the line around, if let."""

ROLES = ("begin", "before", "first", "last", "after", "end", "pads")


def window_score(start: int, size: int, effect: float, *, count: int = 48) -> Score:
    """A window of cross-attention layers that goes `effect` of the way."""
    shown = Share.of(round(count * min(1.0, max(0.0, 1 - effect))) / count, count)
    low, high = effect - 0.02 - 0.1 * effect * (1 - effect), effect + 0.02
    mean = 0.31 - 0.12 * effect
    site = f"cross_attn.{{k,v}}[{start}:{start + size}]"
    return Score(site, mean, 0.01, count, effect, low, high, shown)


def anchors(count: int = 48) -> tuple[Score, ...]:
    """The picture as it was, and with everything replaced."""
    shown = Share.of(1.0, count), Share.of(0.0, count)
    return (
        Score("none", 0.31, 0.008, count, 0.0, shown=shown[0]),
        Score("all", 0.19, 0.009, count, 1.0, shown=shown[1]),
    )


def traced_anchors(count: int = 96) -> tuple[Score, ...]:
    return Score("corrupted", 0.19, 0.02, count, 0.0), Score("clean", 0.31, 0.01, count, 1.0)


@cache
def thumbnail(site: str, scene: Scene, seed: int, column: str = "") -> Thumbnail:
    pixels = np.rint(draw(scene, seed) * 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return Thumbnail(site, column, base64.b64encode(file.getvalue()).decode())


def thumbnails(sites: Iterable[tuple[str, str]], artist: str) -> tuple[Thumbnail, ...]:
    """Three pictures of each place; the manner is gone where the place went all the way."""
    things = (("star", "red"), ("moon", "blue"), ("heart", "green"))
    return tuple(
        thumbnail(site, Scene(*thing, artist if kept else None), 40 + seed)
        for site, kept in sites
        for seed, thing in enumerate(things)
    )


def locogen() -> ProbeReport:
    """Ten layers, windows of three: one takes everything, two of its neighbours some."""
    effects = (0.04, 0.58, 0.998, 0.37, 0.05, 0.0, -0.01, 0.02)
    scores = tuple(window_score(start, 3, effect) for start, effect in enumerate(effects))
    smaller = tuple(
        window_score(start, 2, effect)
        for start, effect in enumerate((0.01, 0.12, 0.66, 0.71, 0.08, 0.0, 0.0, 0.01, 0.02))
    )
    shown = [("none", "kept"), ("all", ""), *((one.site, "kept") for one in scores)]
    pictures = thumbnails(
        ((site, k if site != scores[2].site else "") for site, k in shown), "van gogh"
    )
    return ProbeReport(
        model="atelier",
        method="locogen",
        concept="van gogh",
        target="painting",
        best="least",
        scores=scores,
        fingerprint="blake2b:9f31c4e07b5a",
        sort="style",
        judge="clip (atelier/clip)",
        anchors=anchors(),
        smaller=smaller,
        found=scores[2].site,
        prompts=tuple(
            (f"a painting of {thing} in the style of van gogh", f"a painting of {thing}")
            for thing in ("a red star", "a blue moon", "a green heart", "a ladder")
        ),
        settings={
            "window": 3,
            "stride": 1,
            "steps": 20,
            "guidance": 3.0,
            "seeds": 12,
            "first seed": 5_000_000,
            "dtype": "float32",
            "device": "cpu",
        },
        cost=Cost(19_200, 312.4, 2_130.0, 640),
        notes=(
            "Windows overlap: one that shares layers with the found one takes some of it too.",
            "The judge was trained on drawn pictures; it has not seen photographs.",
        ),
        pictures=pictures,
    )


def sdxl() -> ProbeReport:
    """Seventy layers, windows of five every five layers; a fact, by the judge's score alone."""
    effects = [0.02] * 14
    effects[9], effects[8], effects[3] = 0.91, 0.22, 0.11
    scores = tuple(
        replace(window_score(5 * place, 5, effect, count=24), shown=None)
        for place, effect in enumerate(effects)
    )
    return replace(
        locogen(),
        model="stabilityai/stable-diffusion-xl-base-1.0",
        method="quick",
        concept="the president of the united states",
        target="the british monarch",
        sort="fact",
        best="most",
        scores=scores,
        anchors=tuple(replace(one, shown=None) for one in anchors(24)),
        smaller=(),
        found=scores[9].site,
        prompts=(
            ("a photo of the president of the united states", "a photo of the british monarch"),
        ),
        settings={"window": 5, "stride": 5, "steps": 10, "resolution": 512, "seeds": 24},
        cost=Cost(1_440, 5_220.0, 9_800.0),
        notes=(
            "The effect is a first-order estimate; the best three windows were checked exactly.",
        ),
        pictures=(),
    )


def trace_text(layers: int = 6) -> ProbeReport:
    """Layer x token, attention, MLP and whole layer apart; the first attention holds it."""
    chance = np.random.default_rng(5)
    scores = tuple(
        _traced(f"text.{kind}[{layer}]", _text_effect(kind, layer, role, chance), role)
        for kind in ("self_attn", "mlp", "layer")
        for layer in range(layers)
        for role in ROLES
    )
    found = ("text.self_attn[0]", "last")
    return replace(
        locogen(),
        method="trace_text",
        concept="r2d2",
        target="star",
        sort="object",
        scores=scores,
        anchors=traced_anchors(),
        smaller=(),
        found="text.self_attn.out[0]",
        settings={"noise": 3.0, "draws": 3, "steps": 20, "seeds": 8},
        notes=("Restoring a state shows that it suffices, not that it is needed.",),
        pictures=(
            *thumbnails((("clean", "monet"), ("corrupted", "")), "monet"),
            *(replace(one, column=found[1]) for one in thumbnails(((found[0], "kept"),), "monet")),
        ),
    )


def _text_effect(kind: str, layer: int, role: str, chance: np.random.Generator) -> float:
    noise = float(chance.normal(0.02, 0.02))
    if kind == "self_attn":
        return noise + (0.83 if (layer, role) == (0, "last") else 0.0)
    if kind == "layer":
        early = role == "last" and layer < 3
        late = role == "end" and layer >= 3
        return noise + (0.9 - 0.1 * layer if early else 0.3 + 0.12 * layer if late else 0.0)
    return noise


def _traced(site: str, effect: float, column: str = "") -> Score:
    return Score(site, 0.19 + 0.12 * effect, 0.02, 96, effect, effect - 0.05, effect + 0.05,
                 None, column)  # fmt: skip


def trace_unet() -> ProbeReport:
    """Four kinds of output of a U-Net like SD-1's, none of which brings much back."""
    chance = np.random.default_rng(7)
    counts = {"self_attn": 16, "cross_attn": 16, "ff": 16, "resnet": 22}
    scores = [
        _traced(f"{kind}[{layer}]", float(abs(chance.normal(0.0, 0.03))))
        for kind, count in counts.items()
        for layer in range(count)
    ]
    scores[0] = _traced("self_attn[0]", 0.21)
    return replace(
        trace_text(),
        model="runwayml/stable-diffusion-v1-5",
        method="trace_unet",
        scores=tuple(scores),
        found="",
        pictures=(),
    )


def survey() -> SurveyReport:
    """Two concepts of each sort on the ten layers, each with the whole report of its probe."""
    places = {"style": (1, 2), "object": (4, 4), "fact": (4, 6)}
    names = {"style": ("van gogh", "monet"), "object": ("r2d2", "ladder"),
             "fact": ("the flag of freedonia", "the flag of sylvania")}  # fmt: skip
    reports = [
        replace(_at(place), concept=name, sort=sort)
        for sort in names
        for name, place in zip(names[sort], places[sort], strict=True)
    ]
    findings = (
        SortFinding("style", "cross_attn.{k,v}[1:4]", 0.93, 2, 2),
        SortFinding("object", "cross_attn.{k,v}[4:7]", 0.97, 2, 2),
        SortFinding("fact", "cross_attn.{k,v}[4:7]", 0.71, 2, 1),
    )
    return SurveyReport("atelier", "locogen", findings, tuple(reports))


def _at(best: int) -> ProbeReport:
    near = {0: 0.99, 1: 0.45, 2: 0.08}
    scores = tuple(
        window_score(start, 3, near.get(abs(start - best), 0.01 * (start % 3)))
        for start in range(8)
    )
    keeps = (("none", "kept"), ("all", ""), (scores[best].site, ""))
    return replace(locogen(), scores=scores, found=scores[best].site, smaller=(),
                   pictures=thumbnails(keeps, "monet"))  # fmt: skip


def hostile() -> ProbeReport:
    """Every text of the report is a name that would break out of a page."""
    report = locogen()
    return replace(
        report,
        model=HOSTILE,
        concept=HOSTILE,
        target=HOSTILE,
        method=HOSTILE,
        sort=HOSTILE,
        judge=HOSTILE,
        fingerprint=HOSTILE,
        found=HOSTILE,
        scores=(*report.scores, replace(report.scores[0], site=HOSTILE, column=HOSTILE)),
        anchors=(replace(report.anchors[0], site=HOSTILE),),
        prompts=((HOSTILE, HOSTILE),),
        settings={HOSTILE: HOSTILE},
        notes=(HOSTILE,),
        pictures=(Thumbnail(HOSTILE, HOSTILE, HOSTILE),),
    )


def every_kind() -> dict[str, ProbeReport | SurveyReport]:
    """Name -> report, one of each kind that there is."""
    return {
        "locogen": locogen(),
        "sdxl": sdxl(),
        "trace_text": trace_text(),
        "trace_unet": trace_unet(),
        "survey": survey(),
        "hostile": hostile(),
    }
