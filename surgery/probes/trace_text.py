"""Causal tracing in the text towers: which layer, at which tokens, carries the concept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from surgery.layout import Layout
from surgery.probes.base import Arm, Clean, RestoreText, Way, strongest
from surgery.probes.roles import ROLES, Role
from surgery.report import Score

PARTS = ("self_attn", "mlp", "layer")


@dataclass(frozen=True, slots=True)
class TraceText:
    """Clean, corrupted and restored runs, a text layer's output restored at some tokens.

    Args:
        parts: self_attn (its output), mlp (its output), layer (the hidden state after both).
        roles: at which tokens; those that a prompt lacks are left out of its runs.

    Source: Basu et al. 2023, arXiv 2310.13730, section 3 (text encoder).
    """

    name: ClassVar[str] = "trace_text"
    about: ClassVar[str] = "causal tracing of the text towers, by layer and token"
    source: ClassVar[str] = "Basu et al. 2023, arXiv 2310.13730, section 3"
    way: ClassVar[Way] = "restore text"

    parts: tuple[str, ...] = PARTS
    roles: tuple[Role, ...] = ROLES

    def anchors(self, layout: Layout) -> tuple[Arm, Arm]:
        """The corrupted run, and the clean one."""
        return Arm("corrupted", RestoreText("", 0, "")), Arm("clean", Clean())

    def arms(self, layout: Layout, scored: Sequence[Score]) -> tuple[Arm, ...]:
        """Every part of every layer at every role, once."""
        if scored:
            return ()
        return tuple(
            Arm(f"{tower}.{part}[{layer}]", RestoreText(f"{tower}.{part}", layer, role), role)
            for tower in layout.towers
            for part in self.parts
            for layer in range(layout.towers[tower].layers)
            for role in self.roles
        )

    def found(self, scored: Sequence[Score]) -> tuple[str, tuple[Score, ...]]:
        """The earliest state that brings back as much as any, if that is more than chance.

        Of the places in one layer the subject's last token comes first, then the others in order.
        """
        close = strongest(scored)
        return min(close, key=self._lateness).name if close else "", tuple(scored)

    def _lateness(self, score: Score) -> tuple[int, int, bool, int]:
        part, _, layer = score.site.rpartition(".")[2].rstrip("]").partition("[")
        role = next(place for place, one in enumerate(self.roles) if one == score.column)
        return int(layer), self.parts.index(part), score.column != "last", role
