"""Judging while pictures are painted: whatever comes first, the same rows in the same order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from surgery.engine.serial import torch_threads
from surgery.report.verify import Figure, Group, PicturePair, Row
from surgery.verify.bench import Bench
from surgery.verify.frechet import frechet_figures
from surgery.verify.items import ItemResult, Pixels
from surgery.verify.plan import Plan
from surgery.verify.samples import Sample, chosen


@dataclass(slots=True)
class Judging:
    """Takes items' results as they come.

    Args:
        on_pictures: told how many pictures were just made.
    """

    made: Plan
    judges: Bench
    on_pictures: Callable[[int], None]
    evaluations: int = 0
    _waiting: dict[int, ItemResult] = field(default_factory=dict)
    _found: dict[int, list[Sample]] = field(default_factory=dict)

    def take(self, number: int, result: ItemResult) -> None:
        """One result; once both models' pictures of the same prompts are there, they are judged."""
        self.evaluations += result.evaluations
        self.on_pictures(len(result.pictures))
        other = self._waiting.pop(number ^ 1, None)
        if other is None:
            self._waiting[number] = result
            return
        before, after = (result, other) if result.arm == "before" else (other, result)
        with torch_threads(self.made.painting.threads):
            self._judge(number // 2, before.pictures, after.pictures)

    def samples(self) -> list[Sample]:
        """Everything that was judged, in the order in which it was asked."""
        assert not self._waiting
        return [one for place in sorted(self._found) for one in self._found[place]]

    def rows(self) -> tuple[Row, ...]:
        """What was seen in every pair."""
        return tuple(one.row for one in self.samples())

    def pictures(self) -> tuple[PicturePair, ...]:
        """The pairs that the report shows."""
        return chosen(self.made.sets, self.samples(), self.made.wish.kept_pictures)

    def fid(self) -> dict[Group, Figure]:
        """How far all pictures of both models are from each other, by group."""
        if self.judges.frechet is None:
            return {}
        with torch_threads(self.made.painting.threads):
            return frechet_figures(self.judges.frechet, self.samples())

    def _judge(self, place: int, before: Pixels, after: Pixels) -> None:
        """Judge batch by batch, as they were painted: a judge's last bits depend on it too."""
        start = 0
        for number, places in self.made.chunk(place):
            some = slice(start, start + len(places))
            start += len(places)
            asked = self.made.sets[number]
            asks = [asked.asks[one] for one in places]
            marks = self.judges.marks(asked, asks, before[some], after[some])
            known = self.judges.features(before[some], after[some])
            pairs = zip(before[some], after[some], strict=True)
            for ask, mark, pair, features in zip(asks, marks, pairs, known, strict=True):
                row = Row(asked.group, asked.concept, ask.prompt, ask.seed, mark)
                shown = pair if self.made.wish.kept_pictures else None
                self._found.setdefault(place, []).append(Sample(number, row, shown, features))
