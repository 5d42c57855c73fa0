"""What the figures of a probe do not say, in sentences for its report."""

from __future__ import annotations

from surgery.localise.study import Study
from surgery.probes.base import RESTORING, Probe


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
    runs = len(study.cases(probe.way in RESTORING))
    if runs < 16:
        said.append(f"{runs} runs of each place: small differences between places are chance.")
    return tuple(said)


def _substituted(found: str) -> list[str]:
    said = [
        "A window that removes the concept when it reads another prompt is enough to remove it; "
        "that no other layer holds any of it does not follow."
    ]
    if not found:
        said.insert(
            0,
            "No window of up to half the layers removes the concept: it is kept in many of them. "
            "An edit of all of them (uce) suits it better.",
        )
    return said
