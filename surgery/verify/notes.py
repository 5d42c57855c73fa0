"""What the figures of a verification do not say. Words only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from surgery.report.verify import ERASED, Figure, Group, SetFigures

SEEN = 0.5
"""Share of pictures before the edit below which their absence afterwards says little."""

PICTURES = 10_000
"""The fewest that FIDs are usually made of; it grows as there are fewer (arXiv 1911.07023)."""


def notes(sets: Sequence[SetFigures], fid: Mapping[Group, Figure] = {}) -> tuple[str, ...]:
    """Sentences about figures that prove less than they seem to."""
    return (*_notes(sets), *_of_fid(fid))


def _of_fid(fid: Mapping[Group, Figure]) -> Iterator[str]:
    counts = [one.count for one in fid.values()]
    if counts and min(counts) < PICTURES:
        yield (
            f"FID of {min(counts):,} pictures comes out larger than of {PICTURES:,}: set it beside "
            "FIDs of as many pictures alone"
        )


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
