"""The edit methods: one file each, one line each in EDITS."""

from __future__ import annotations

from surgery.edits.base import Edit
from surgery.edits.component_removal import ComponentRemoval
from surgery.edits.conceptprune import ConceptPrune
from surgery.edits.cure import Cure
from surgery.edits.double_projection import DoubleProjection
from surgery.edits.locoedit import LocoEdit
from surgery.edits.neuron_dropout import NeuronDropout
from surgery.edits.pooled import Pooled
from surgery.edits.quickfix import QuickFix
from surgery.edits.rece import Rece
from surgery.edits.speed import Speed
from surgery.edits.time import Time
from surgery.edits.uce import Uce

EDITS: dict[str, type[Edit]] = {
    "quickfix": QuickFix,
    "locoedit": LocoEdit,
    "uce": Uce,
    "pooled": Pooled,
    "time": Time,
    "rece": Rece,
    "speed": Speed,
    "double_projection": DoubleProjection,
    "cure": Cure,
    "conceptprune": ConceptPrune,
    "neuron_dropout": NeuronDropout,
    "component_removal": ComponentRemoval,
}
