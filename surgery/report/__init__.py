"""The results of the verbs: frozen values, to JSON and back. Nothing here computes or prints.

`Report` is the base of every value that is printed as JSON on its own; it adds `kind` and
`version`, so that a saved report says what it is. The other classes are parts of reports.
"""

from __future__ import annotations

from surgery.report.base import VERSION, Report, Spread
from surgery.report.components import Component, ComponentReport, Correlation, SiteScores
from surgery.report.diffs import BlockChange, ChangeKind, DiffReport, SiteChange, TensorChange
from surgery.report.edits import Drift, EditedTensor, Gate, Leak, Moved, SiteFigure
from surgery.report.probes import (
    Cost,
    ProbeReport,
    Score,
    Setting,
    SortFinding,
    SurveyReport,
    Thumbnail,
)
from surgery.report.pushed import Operation, PushReport
from surgery.report.records import Record, RecordedBase, RecordedTensor
from surgery.report.remade import LEVELS, Level, RemadeTensor, ReproduceReport, VersionChange
from surgery.report.verify import JudgedSet, Share, VerifyReport

__all__ = [
    "LEVELS",
    "VERSION",
    "BlockChange",
    "ChangeKind",
    "Component",
    "ComponentReport",
    "Correlation",
    "Cost",
    "DiffReport",
    "Drift",
    "EditedTensor",
    "Gate",
    "JudgedSet",
    "Leak",
    "Level",
    "Moved",
    "Operation",
    "ProbeReport",
    "PushReport",
    "Record",
    "RecordedBase",
    "RecordedTensor",
    "RemadeTensor",
    "Report",
    "ReproduceReport",
    "Score",
    "Setting",
    "Share",
    "SiteChange",
    "SiteFigure",
    "SiteScores",
    "SortFinding",
    "Spread",
    "SurveyReport",
    "TensorChange",
    "Thumbnail",
    "VerifyReport",
    "VersionChange",
]
