"""What the figures of a probe do not say, in sentences for its report."""

from __future__ import annotations

from collections.abc import Sequence

from surgery.localise.journal import Measurement
from surgery.localise.scoring import Anchored
from surgery.localise.study import Study
from surgery.probes.base import RESTORING, Probe
from surgery.report.findings import percent


def notes(probe: Probe, found: str, study: Study) -> tuple[str, ...]:
    """Sentences, the most important first."""
    said = []
    if probe.way == "glance":
        said.append(
            "Effects are foretold by the model's own predictions at two steps of each run: how a "
            "picture ends is not seen."
        )
    elif probe.way not in RESTORING:
        said += _substituted(found)
    else:
        said.append(
            "To be restored, a state must have been lost with the noise on the concept's tokens; "
            "what the rest of the prompt gives away of the concept is not traced."
        )
        if probe.way == "restore":
            said.append(
                "The last layers carry the whole picture, whatever the concept: that they bring it "
                "back says little about where it is kept."
            )
    runs = len(study.cases(probe.way in RESTORING))
    if runs < 16:
        count = "1 run" if runs == 1 else f"{runs} runs"
        said.append(f"{count} of each place: small differences between places are chance.")
    return tuple(said)


def doubts(probe: Probe, ends: Anchored) -> tuple[str, ...]:
    """Why effects mean little: the concept is not there to begin with, or does not go."""
    restores = probe.way in RESTORING
    sound, without = (ends.target, ends.source) if restores else (ends.source, ends.target)
    what = "with noise on its tokens" if restores else "with another prompt in every layer"
    said = []
    if (first := _share_shown(sound)) is not None and first < 0.5:
        said.append(
            f"The model's own pictures show the concept to the judge in {percent(first)} of runs: "
            "effects are shares of next to nothing. More --steps or other prompts may show more."
        )
    if (last := _share_shown(without)) is not None and last > 0.5:
        said.append(
            f"The judge sees the concept in {percent(last)} of runs {what} too: effects are shares "
            "of a difference that matters little to it."
        )
    return tuple(said)


def _share_shown(measured: Sequence[Measurement]) -> float | None:
    seen = [one.shown for one in measured if one.shown is not None]
    return sum(seen) / len(seen) if seen else None


def _substituted(found: str) -> list[str]:
    said = [
        "A window that removes the concept when it reads another prompt is enough to remove it; "
        "that no other layer holds any of it does not follow."
    ]
    if not found:
        said.insert(
            0,
            "No window that was tried removes the concept alone: it is kept in more layers. "
            "An edit of all of them (uce) suits it better.",
        )
    return said
