"""Runs of a model under a probe's interventions, and nothing about what they show."""

from __future__ import annotations

from surgery.runs.base import Case, Row, Run, Sampling

__all__ = ["Case", "Row", "Run", "Sampling"]
