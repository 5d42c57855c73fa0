"""From what a user asked to what is run: the probe, the questions, the sampling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace

from surgery.errors import UsageError
from surgery.layout import RUN, Layout
from surgery.localise.study import NOISES, Study
from surgery.localise.wish import Wish
from surgery.probes import PROBES
from surgery.probes.base import Probe
from surgery.probes.locogen import THRESHOLD
from surgery.probes.quick import ENOUGH
from surgery.probes.windows import depth
from surgery.questions import Question, Vocabulary, ask, questions
from surgery.runs.base import Sampling
from surgery.store.text import nearest

GUIDANCE: Mapping[Vocabulary, float] = {"atelier": 3.0, "world": 7.5}
"""Latents of 8 x 8 saturate at the usual 7.5."""
MOST = 0.5
"""More of the whole effect than elsewhere, for windows whose size is given."""
STEPS: Mapping[Vocabulary, int] = {"atelier": 20, "world": 50}


def completed(wish: Wish, vocabulary: Vocabulary, device: str) -> Wish:
    """The wish with what it left open: more where the model is small or there is a GPU."""
    is_cheap = vocabulary == "atelier" or device != "cpu"
    is_quick = wish.method == "quick"
    prompts, seeds = (8 if is_cheap else 2, 1) if is_quick else (8, 2)
    check = 3 if is_cheap and is_quick and wish.concept is not None else 0
    return replace(
        wish,
        prompts=wish.prompts or prompts,
        seeds=wish.seeds or seeds,
        check=check if wish.check is None else wish.check,
        per_sort=wish.per_sort or (3 if is_cheap else 1),
        steps=wish.steps or STEPS[vocabulary],
        guidance=GUIDANCE[vocabulary] if wish.guidance is None else wish.guidance,
    )


def enough(wish: Wish, layout: Layout, judge: str) -> float:
    """The share of the whole effect from which on a window is called the place.

    A size that is open grows until a window suffices. The model's own predictions ask for less:
    a picture that shows nothing of a concept is not yet, place by place, the one without it.
    """
    if wish.threshold is not None:
        return wish.threshold
    if wish.window or layout.probing or wish.concept is None:
        return MOST
    return ENOUGH if judge.startswith("noise") else THRESHOLD


def chosen_probe(wish: Wish, layout: Layout, judge: str = "") -> Probe:
    """The probe with the settings that were given.

    Concepts that are set side by side need windows of one size: a quarter of the layers, rounded
    up, where neither the wish nor the layout says.

    Raises:
        UsageError: there is no such probe, or the model is of a family that is not run.
    """
    if layout.family not in RUN:
        what = f"{layout.name} models cannot be probed by this release"
        raise UsageError(what, hint=f"{', '.join(RUN)} can")
    if (kind := PROBES.get(wish.method)) is None:
        close = nearest(wish.method, PROBES)
        hint = f"did you mean {close!r}?" if close else "there are " + ", ".join(PROBES)
        raise UsageError(f"there is no probe {wish.method!r}", hint=hint)
    names = {one.name for one in fields(kind)}  # type: ignore[arg-type]
    given = {name: getattr(wish, name) for name in ("window", "stride")}
    if wish.method in ("locogen", "quick"):
        seen_by = "noise" if wish.method == "quick" else judge
        given["threshold"] = enough(wish, layout, seen_by)
    if wish.concept is None and layout.probing is None:
        given["window"] = wish.window or -(-depth(layout) // 4)
    return kind(
        **{key: value for key, value in given.items() if key in names and value is not None}
    )


def chosen_questions(wish: Wish, vocabulary: Vocabulary) -> tuple[Question, ...]:
    """The concept's question, or the built-in ones, with as many prompts as wished.

    Raises:
        UsageError: nothing says what sort the concept is, or what should take its place.
    """
    if wish.concept is not None:
        own = list(wish.own_prompts) or None
        asked = [ask(wish.concept, wish.target, wish.sort, prompts=own, vocabulary=vocabulary)]
    else:
        asked = _of_each_sort(questions(vocabulary, [wish.sort] if wish.sort else None), wish)
    return tuple(replace(one, pairs=one.pairs[: wish.prompts]) for one in asked)


def _of_each_sort(known: tuple[Question, ...], wish: Wish) -> list[Question]:
    """The first few of each sort."""
    chosen: list[Question] = []
    for one in known:
        if sum(other.sort == one.sort for other in chosen) < (wish.per_sort or 1):
            chosen.append(one)
    return chosen


def study_of(wish: Wish, question: Question) -> Study:
    """Over what a question's figures are taken; of a wish that leaves nothing open."""
    assert wish.steps is not None and wish.guidance is not None and wish.seeds is not None
    sampling = Sampling(wish.steps, wish.guidance)
    noises = NOISES if wish.noise is None else (wish.noise,)
    seeds = tuple(range(wish.first_seed, wish.first_seed + wish.seeds))
    return Study(question, sampling, seeds, wish.draws, noises, wish.batch, wish.thumbnails)
