"""The results of the verbs: frozen values, to JSON and back. Nothing here computes or prints.

`Report` is the base of every value that is printed as JSON on its own; it adds `kind` and
`version`, so that a saved report says what it is. The other classes are parts of reports.
"""

from __future__ import annotations

from surgery.report.base import VERSION, Report, Spread
from surgery.report.components import Component, ComponentReport, Correlation, SiteScores
from surgery.report.diffs import BlockChange, ChangeKind, DiffReport, SiteChange, TensorChange
from surgery.report.edits import Drift, EditedTensor, Gate, Leak, Moved, SiteFigure
from surgery.report.exam import ExamReport, JudgedSet
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
from surgery.report.shares import Share
from surgery.report.verify import (
    Attack,
    Figure,
    JudgeFacts,
    Marks,
    ModelFacts,
    PicturePair,
    Row,
    SetFigures,
    Summary,
    VerifyReport,
)

__all__ = [
    "LEVELS",
    "VERSION",
    "Attack",
    "BlockChange",
    "ChangeKind",
    "Component",
    "ComponentReport",
    "Correlation",
    "Cost",
    "DiffReport",
    "Drift",
    "EditedTensor",
    "ExamReport",
    "Figure",
    "Gate",
    "JudgeFacts",
    "JudgedSet",
    "Leak",
    "Level",
    "Marks",
    "ModelFacts",
    "Moved",
    "Operation",
    "PicturePair",
    "ProbeReport",
    "PushReport",
    "Record",
    "RecordedBase",
    "RecordedTensor",
    "RemadeTensor",
    "Report",
    "ReproduceReport",
    "Row",
    "Score",
    "SetFigures",
    "Setting",
    "Share",
    "SiteChange",
    "SiteFigure",
    "SiteScores",
    "SortFinding",
    "Spread",
    "Summary",
    "SurveyReport",
    "TensorChange",
    "Thumbnail",
    "VerifyReport",
    "VersionChange",
]
