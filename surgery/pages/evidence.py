"""The pictures of a verification, each before and after, set by set."""

from __future__ import annotations

from collections.abc import Sequence

from surgery.pages import blocks
from surgery.pages.compare import Pair, all_at_once, pairs
from surgery.pages.html import Html, el
from surgery.pages.shots import BASE64
from surgery.report import VerifyReport
from surgery.report.sets import ASKED, is_erased, seen, went_right
from surgery.report.verify import GROUPS, PicturePair

AT_ONCE = 6
"""Sets that are shown before the rest is asked for, beside those in which something went wrong."""

Named = tuple[str, Sequence[PicturePair]]


def evidence(report: VerifyReport) -> Html | None:
    """The section with all pictures: what should be gone first."""
    groups = _groups(report.pictures)
    if not groups:
        return None
    first = [one for at, one in enumerate(groups) if at < AT_ONCE or _is_wrong(one[1])]
    rest = [one for one in groups if one not in first]
    about = "One prompt and one seed, painted by both models from the same noise. Drag a picture, "
    about += "or use the arrow keys: left of the line is before, right of it after."
    title = f"{len(rest)} more {'set' if len(rest) == 1 else 'sets'} of prompts"
    more = blocks.more(title, [_group(*one) for one in rest]) if rest else None
    shown = [_group(*one) for one in first]
    return blocks.section("The pictures", about, all_at_once(), shown, more)


def _groups(pictures: Sequence[PicturePair]) -> list[Named]:
    sound = [
        one for one in pictures if BASE64.fullmatch(one.before) and BASE64.fullmatch(one.after)
    ]
    order = sorted(sound, key=lambda one: GROUPS.index(one.group))
    spots = dict.fromkeys((one.group, one.concept) for one in order)
    return [
        (_title(*spot), [one for one in order if (one.group, one.concept) == spot])
        for spot in spots
    ]


def _title(group: str, concept: str) -> str:
    how = ASKED[group]  # type: ignore[index]
    return concept if group == "unrelated" else f"{concept}, {how}"


def _is_wrong(pictures: Sequence[PicturePair]) -> bool:
    return any(went_right(one.group, one.marks) is False for one in pictures)


def _group(title: str, pictures: Sequence[PicturePair]) -> Html:
    expected = "should be gone" if is_erased(pictures[0].group) else ""
    heading = el("h3", title, el("small", expected) if expected else None)
    return el("div", heading, pairs([pair(one) for one in pictures]), cls="group")


def pair(one: PicturePair, names: tuple[str, str] = ("before", "after")) -> Pair:
    """A picture pair as the page shows it, with what the judge saw."""
    looks = {True: "good", False: "bad", None: ""}
    note = seen(one.concept, one.marks)
    look = looks[went_right(one.group, one.marks)]
    return Pair(one.prompt, note, one.before, one.after, look, one.seed, names)
