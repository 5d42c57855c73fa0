"""Sets of prompts in words: the same on a page, a contact sheet and in a list of tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from surgery.report.edits import Gate
from surgery.report.findings import percent
from surgery.report.verify import ERASED, Figure, Group, Marks, SetFigures

ASKED: Mapping[Group, str] = {
    "erased": "by name",
    "synonym": "synonyms",
    "paraphrase": "paraphrases",
    "misspelling": "misspellings",
    "kept": "should stay",
    "unrelated": "unrelated",
    "given": "from a list",
}
"""How a concept is asked for, or what is expected of it."""

GATES: Mapping[Group, str] = {
    "erased": "erased",
    "synonym": "synonyms",
    "paraphrase": "paraphrases",
    "misspelling": "misspellings",
    "kept": "kept_each",
    "given": "given",
}
"""What the gate on a set is called, before its concept."""

SHARES = frozenset({"content"})
"""Further measures that are shares of pictures."""


def is_erased(group: Group) -> bool:
    """Whether the prompts of a group ask for what should be gone."""
    return group in ERASED


def share(figure: Figure | None) -> str:
    """`4 % (1 to 9)`: a share with its interval, a dash where there is none."""
    if figure is None:
        return "-"
    return f"{percent(figure.value)} ({round(100 * figure.low)} to {round(100 * figure.high)})"


def plain(figure: Figure | None) -> str:
    """`24.1 (23.8 to 24.5)`: any other figure, a dash where there is none."""
    if figure is None:
        return "-"
    if figure.how == "none":
        return number(figure.value)
    return f"{number(figure.value)} ({number(figure.low)} to {number(figure.high)})"


def measured(name: str, figure: Figure | None) -> str:
    """A further measure by its name."""
    return (share if name in SHARES else plain)(figure)


def number(value: float) -> str:
    """To three digits, whole ones kept."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def pictures_of(one: SetFigures) -> str:
    """`48 pictures, now mostly plain`."""
    count = f"{one.n:,} picture" if one.n == 1 else f"{one.n:,} pictures"
    other = one.became and one.became != one.concept
    return f"{count}, now mostly {one.became}" if other else count


def gate_of(one: SetFigures, gates: Iterable[Gate]) -> Gate | None:
    """The gate that decides on a set; None where there is none.

    What is kept has one gate, on the concept that lost most: where that passes, all do.
    """
    name = f"{GATES.get(one.group)}: "
    own = [gate for gate in gates if gate.name.startswith(name)]
    if one.group == "kept" and own and own[0].passed:
        return own[0]
    return next((gate for gate in own if gate.name == name + one.concept), None)


def went_right(group: Group, marks: Marks) -> bool | None:
    """Whether the picture after shows what it should; None where no judge can say.

    What was not there before the edit cannot be lost by it.
    """
    if marks.shown_after is None or group == "given":
        return None
    if is_erased(group):
        return not marks.shown_after
    return True if marks.shown_after else (False if marks.shown_before else None)


def seen(concept: str, marks: Marks) -> str:
    """What a judge saw before and after, in a few words; '' where it says nothing."""
    if marks.seen_before and marks.seen_after:
        same = marks.seen_before == marks.seen_after
        return marks.seen_after if same else f"{marks.seen_before} → {marks.seen_after}"
    if marks.shown_after is not None:
        return f"{concept} is seen" if marks.shown_after else f"{concept} is not seen"
    if marks.clip_before is not None and marks.clip_after is not None:
        return f"CLIP {number(marks.clip_before)} → {number(marks.clip_after)}"
    return ""


def missed_by(gate: Gate) -> str:
    """`passed`, or how far beyond its limit: `missed by 3.1 points` of a share, or a number."""
    if gate.passed:
        return "passed"
    if not gate.missed_by:
        return "missed"
    is_share = "%" in gate.limit
    far = f"{100 * gate.missed_by:.2g} points" if is_share else f"{gate.missed_by:.3g}"
    return f"missed by {far}"
