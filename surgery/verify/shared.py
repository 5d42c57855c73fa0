"""What both models share while they are compared: the first one's scheduler and settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from surgery.store.checkpoint import Checkpoint

_FILE = "scheduler/scheduler_config.json"
# Who wrote a file says nothing of how a model is sampled.
_SAYS_NOTHING = ("_diffusers_version", "_class_name")


def scheduler_of(checkpoint: Checkpoint, config: Path | None = None) -> Mapping[str, object] | None:
    """How a model's files say that it is sampled; None where they leave something open.

    Args:
        config: the configuration of an unusual single file.
    """
    if checkpoint.json("model_index.json") is not None:
        stated = checkpoint.json(_FILE)
        return None if stated is None else {"prediction_type": "epsilon", **stated}
    from surgery.layout import detect
    from surgery.model.settings import settings

    found = dict(settings(checkpoint, detect(checkpoint), config).scheduler)
    return found if "prediction_type" in found else None


def spelled(scheduler: Mapping[str, object] | None) -> str:
    """A configuration as text, the same for equal ones; '' for None."""
    return "" if scheduler is None else json.dumps(scheduler, sort_keys=True)


def differ(before: Mapping[str, object] | None, after: Mapping[str, object] | None) -> list[str]:
    """The settings in which two schedulers differ."""
    if before is None or after is None:
        return []
    names = sorted((before.keys() | after.keys()).difference(_SAYS_NOTHING))
    return [name for name in names if before.get(name) != after.get(name)]
