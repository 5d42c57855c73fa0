"""The probes by name. To add one: its file, and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from surgery.probes.base import Probe
from surgery.probes.locogen import LocoGen
from surgery.probes.quick import Quick
from surgery.probes.trace_text import TraceText
from surgery.probes.trace_unet import TraceUnet
from surgery.probes.weights import Weights

PROBES: Mapping[str, type[Probe]] = {
    "quick": Quick,
    "locogen": LocoGen,
    "trace_unet": TraceUnet,
    "trace_text": TraceText,
    "weights": Weights,
}
