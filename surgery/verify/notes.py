"""What the figures of a verification do not say. Words only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from surgery.report.verify import ERASED, SetFigures

SEEN = 0.5
"""Share of pictures before the edit below which their absence afterwards says little."""


def notes(sets: Sequence[SetFigures]) -> tuple[str, ...]:
    """Sentences about sets that prove less than they seem to."""
    return tuple(_notes(sets))


def _notes(sets: Sequence[SetFigures]) -> Iterator[str]:
    for one in sets:
        if one.shown_before is None:
            yield f"the judge does not say whether '{one.concept}' is seen ({one.group} prompts)"
        elif one.group in ERASED and one.shown_before.value < SEEN:
            found = f"{one.shown_before.value:.0%} of its {one.group} pictures"
            yield (
                f"the first model shows '{one.concept}' in only {found}: that the second does not "
                "says little"
            )
