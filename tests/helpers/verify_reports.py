"""Verification reports as real runs give them, their pictures drawn and their figures fixed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files

from surgery.atelier.world import ARTISTS, FACTS
from surgery.report import (
    BlockChange,
    Cost,
    Figure,
    Gate,
    JudgeFacts,
    Marks,
    ModelFacts,
    PicturePair,
    Row,
    SetFigures,
    Summary,
    VerifyReport,
)
from surgery.report.verify import Group
from tests.helpers.probe_reports import HOSTILE
from tests.helpers.verify_parts import VAN_GOGH, attacks, blocks, drifts, leaks, many_blocks, pair

KEPT = tuple(one for one in ARTISTS if one != VAN_GOGH)[:5]


def shown(group: Group, concept: str, before: float, after: float, n: int = 48) -> SetFigures:
    """A set that a judge says yes or no to."""
    change = Figure(after - before, after - before - 0.03, after - before + 0.03, n)
    became = "plain" if after < 0.5 else concept
    return SetFigures(
        group,
        concept,
        "fact" if concept in FACTS else "style",
        12,
        n,
        shown_before=Figure.share(before, n),
        shown_after=Figure.share(after, n),
        shown_change=change,
        retained=Figure.share(after / before if before else 0.0, n),
        distance=Figure(0.04, 0.02, 0.06, n),
        became=became,
        more={"content": Figure.share(0.96, n)} if group == "erased" else {},
    )


def scored(group: Group, concept: str, before: float, after: float, n: int = 10) -> SetFigures:
    """A set of a photographic model: a CLIP score and a distance, nobody who says yes or no."""
    half = 0.4
    return SetFigures(
        group,
        concept,
        "style",
        5,
        n,
        clip_before=Figure(before, before - half, before + half, n),
        clip_after=Figure(after, after - half, after + half, n),
        clip_change=Figure(after - before, after - before - half, after - before + half, n),
        distance=Figure(0.21, 0.17, 0.26, n),
        more={"fid": Figure(18.2, 18.2, 18.2, n, "none")},
    )


def pictures(kept: Sequence[str] = KEPT, *, left: str | None = None) -> tuple[PicturePair, ...]:
    """Four of the erased concept, two of a misspelling, three of each kept one."""
    gone = [pair("erased", VAN_GOGH, thing, left) for thing in range(4)]
    gone += [pair("misspelling", VAN_GOGH, thing, left, "van gohg") for thing in range(2)]
    return (*gone, *(pair("kept", one, thing, one) for one in kept for thing in range(3)))


def gates(*, weak: bool = False) -> tuple[Gate, ...]:
    """As a run decides them; of a weak edit the first is missed."""
    gone, missed = "0.0% (0.0% to 7.4% of 48)", "58.0% (43.9% to 70.9% of 48)"
    few = "24 pictures are too few to be sure (35 are enough): the share decides"
    return (
        Gate("erased: van gogh", "at most 10.0%", missed if weak else gone, not weak, 0.609 * weak),
        Gate("misspellings: van gogh", "at most 10.0%", "0.0% (0.0% to 13.8% of 24)", True, 0, few),
        Gate("kept", "at least 90.0%", "98.6% (96.4% to 99.5% of 272)", True),
        Gate(
            "kept_each: the flag of freedonia",
            "at least 50.0%",
            "97.0% (84.3% to 99.5% of 32)",
            True,
        ),
    )


@cache
def passed() -> VerifyReport:
    """Van Gogh is gone from the built-in model, however he is asked for."""
    text = files("surgery").joinpath("../recipes/remove_vangogh.yaml").read_text("utf-8")
    return VerifyReport(
        before=ModelFacts("atelier", "blake2b:0a1e136823e5"),
        after=ModelFacts("out/remove_vangogh", "blake2b:77d0c2f19a03"),
        verdict="van gogh is gone: it shows in 0 % of 48 pictures, 100 % before; what should stay "
        "shows in 99 % of 208, 99 % before.",
        concepts=(VAN_GOGH,),
        judges=(
            JudgeFacts("atelier", "atelier/judge", "sha256:5f0c9a7714de", "concept", "probability"),
            JudgeFacts("clip", "atelier/clip", "sha256:9b41a0", "alignment", "100 x cosine"),
        ),
        sets=(
            shown("erased", VAN_GOGH, 1.0, 0.0),
            shown("paraphrase", VAN_GOGH, 0.96, 0.04, 24),
            shown("misspelling", VAN_GOGH, 0.5, 0.0, 24),
            *(shown("kept", one, 1.0, 0.98) for one in KEPT),
            shown("kept", FACTS[0], 0.97, 0.97, 32),
            replace(shown("unrelated", "plain paintings", 1.0, 0.96, 32), sort=""),
        ),
        summary=Summary(
            *(Figure.share(one, 48) for one in (1.0, 0.98, 0.97, 0.98, 0.98, 0.97)),
            mace=Figure.share(0.98, 48),
        ),
        gates=gates(),
        rows=(Row("erased", VAN_GOGH, "a painting by van gogh", 9_000_000, Marks(True, False)),),
        attacks=attacks(),
        pictures=pictures(),
        blocks=blocks(),
        leaks=leaks(),
        drifts=drifts(),
        recipe=text,
        settings={"steps": 20, "guidance": 3.0, "scheduler": "DDIM", "first seed": 9_000_000},
        environment={"surgery": "0.1.0", "torch": "2.13.0", "device": "cpu"},
        cost=Cost(21_760, 214.0, 640.0),
        notes=(
            "The judge was trained on drawn pictures; it has not seen photographs.",
            "Fourteen of the kept concepts were not asked for.",
        ),
    )


def failed() -> VerifyReport:
    """An edit too weak: the concept still shows in most pictures, and one gate says so."""
    weak = shown("erased", VAN_GOGH, 1.0, 0.58)
    return replace(
        passed(),
        verdict="van gogh is still there: it shows in 58 % of 48 pictures, 100 % before.",
        sets=(weak, *passed().sets[1:]),
        gates=gates(weak=True),
        pictures=pictures(left=VAN_GOGH),
        attacks=(),
    )


def clip_only() -> VerifyReport:
    """A photographic model, two concepts, scores only, nothing known of the edit."""
    names = ("greg rutkowski", "thomas kinkade")
    return replace(
        passed(),
        before=ModelFacts("runwayml/stable-diffusion-v1-5", "blake2b:41ee", "451f4fe16113"),
        after=ModelFacts("someone/sd15-without-artists", "blake2b:90aa", "c7d1e08a41b2"),
        verdict="greg rutkowski and thomas kinkade: pictures are less like them than before.",
        concepts=names,
        judges=(JudgeFacts("clip", "openai/clip-vit-base-patch32", "3d74acf9a28c", "alignment"),),
        sets=(
            *(scored("erased", one, 31.2, 24.3) for one in names),
            *(scored("kept", one, 30.8, 30.5) for one in ("claude monet", "banksy")),
            replace(scored("unrelated", "captions", 29.9, 29.7), sort=""),
            scored("given", "prompts.csv", 30.1, 29.9),
        ),
        summary=Summary(),
        gates=(),
        rows=(),
        attacks=(),
        pictures=(),
        blocks=many_blocks(),
        leaks=(),
        drifts=(),
        recipe="",
        notes=(),
        cost=None,
    )


def hostile() -> VerifyReport:
    """Every text of the report is a name that would break out of a page."""
    report, evil = passed(), HOSTILE
    mark = Marks(True, False, seen_before=evil, seen_after=evil)
    first = report.pictures[0]
    bad = replace(first, prompt=evil, concept=evil, marks=mark)
    return replace(
        report,
        before=ModelFacts(evil, evil, evil),
        after=ModelFacts(evil, evil, evil),
        verdict=evil,
        concepts=(evil,),
        judges=(JudgeFacts(evil, evil, evil, "concept", evil),),
        sets=(
            replace(
                report.sets[0],
                concept=evil,
                sort=evil,
                became=evil,
                more={evil: Figure(1, 1, 1, 1)},
            ),
        ),
        gates=(Gate(evil, evil, evil, False, 1.0, evil),),
        attacks=(
            replace(
                attacks()[1],
                name=evil,
                concept=evil,
                tried=evil,
                found=(evil,),
                settings={evil: evil},
            ),
        ),
        pictures=(bad, replace(first, before=evil), replace(first, after='" onload="x')),
        blocks=(BlockChange(evil, 1, 1, 1.0, 1.0), BlockChange(f"{evil}.3", 1, 1, None, None)),
        leaks=(replace(leaks()[0], concept=evil, target=evil, wording=evil),),
        drifts=(replace(drifts()[0], group=evil, path=evil),),
        recipe=evil,
        settings={evil: evil},
        environment={evil: evil},
        notes=(evil,),
    )


def bare() -> VerifyReport:
    """Nothing but what must be there."""
    model = ModelFacts("a", "b")
    return VerifyReport(model, model, "Nothing was asked.", (), (), (), Summary(), ())


def every_kind() -> dict[str, VerifyReport]:
    """Name -> report, one of each kind that there is."""
    return {
        "passed": passed(),
        "failed": failed(),
        "clip": clip_only(),
        "hostile": hostile(),
        "bare": bare(),
    }
