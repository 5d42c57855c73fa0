"""Progress: put down whole, read back to the bit, and never taken for another scoring's."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from surgery.errors import CheckpointError, OutputError
from surgery.scores.progress import Progress

FACTS = {"fingerprint": "abc", "steps": 20}
KEPT = {
    "gradients/ff.in[0]": torch.randn(3, 4, generator=torch.Generator().manual_seed(0)),
    "total": torch.tensor(0.1, dtype=torch.float64),
    "inputs/0/ff.in[0]/count": torch.tensor([7]),
}


def test_what_was_kept_is_read_to_the_bit(tmp_path: Path) -> None:
    file = tmp_path / "p.safetensors"
    Progress(file, FACTS).write(3, KEPT)
    steps, found = Progress(file, dict(reversed(FACTS.items()))).read()
    assert steps == 3
    assert set(found) == set(KEPT)
    for name, one in KEPT.items():
        assert found[name].dtype == one.dtype
        assert torch.equal(found[name], one)


def test_a_later_step_takes_the_place_of_an_earlier_one(tmp_path: Path) -> None:
    progress = Progress(tmp_path / "p.safetensors", FACTS)
    for steps in (1, 2):
        progress.write(steps, KEPT)
    assert progress.read()[0] == 2
    assert [path.name for path in tmp_path.iterdir()] == ["p.safetensors"]


def test_without_a_file_there_is_nothing_to_go_on_from(tmp_path: Path) -> None:
    assert Progress(tmp_path / "p.safetensors", FACTS).read() == (0, {})
    Progress(None, FACTS).write(1, KEPT)
    assert Progress(None, FACTS).read() == (0, {})
    assert not list(tmp_path.iterdir())


def test_another_scoring_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "p.safetensors"
    Progress(file, FACTS).write(1, KEPT)
    with pytest.raises(OutputError, match="another scoring") as caught:
        Progress(file, {**FACTS, "steps": 21}).read()
    assert caught.value.hint


def test_a_cut_file_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "p.safetensors"
    Progress(file, FACTS).write(1, KEPT)
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(CheckpointError):
        Progress(file, FACTS).read()
