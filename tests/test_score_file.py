"""A score file gives back what was scored, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from surgery.edits.scores import Scores
from surgery.errors import CheckpointError, OutputError
from surgery.score_file import read_scores, write_scores

SITE = "ff.in[3]"


def scores() -> Scores:
    draw = np.random.default_rng(0)
    return Scores(
        "attribution",
        {SITE: draw.standard_normal((5, 4)), "ff.out[0]": np.arange(3.0)},
        held={SITE: draw.standard_normal((5, 4)).astype(np.float32)},
        norms={SITE: draw.uniform(0, 1, 4)},
        samples={SITE: draw.standard_normal(64)},
        facts={"seeds": "0, 1", "steps": 20, "guidance": 3.0, "concept": "van gogh: “é”"},
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write_scores(scores(), tmp_path / "scores.safetensors")
    return tmp_path / "scores.safetensors"


def test_what_was_written_is_read_in_single_precision(file: Path) -> None:
    found, given = read_scores(file), scores()
    assert (found.method, found.facts) == (given.method, given.facts)
    for group in ("values", "held", "norms", "samples"):
        read, kept = getattr(found, group), getattr(given, group)
        assert list(read) == list(kept)
        for site, value in kept.items():
            np.testing.assert_array_equal(read[site], value.astype(np.float32))
            assert read[site].shape == value.shape


def test_any_reader_of_safetensors_reads_it(file: Path) -> None:
    assert set(load_file(file)) == {
        f"values/{SITE}", "values/ff.out[0]", f"held/{SITE}", f"norms/{SITE}", f"samples/{SITE}",
    }  # fmt: skip


def test_equal_scores_give_equal_files(file: Path, tmp_path: Path) -> None:
    write_scores(scores(), tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == file.read_bytes()


def test_a_file_that_is_there_is_replaced_only_by_force(file: Path) -> None:
    before = file.read_bytes()
    with pytest.raises(OutputError):
        write_scores(Scores("neurons", {}), file)
    assert file.read_bytes() == before
    write_scores(Scores("neurons", {SITE: np.ones(2)}), file, force=True)
    assert read_scores(file).method == "neurons"


def test_no_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such score file") as found:
        read_scores(tmp_path / "none.safetensors")
    assert "--scores" in str(found.value.hint)


@pytest.mark.parametrize(
    ("metadata", "name"),
    [
        ({}, f"values/{SITE}"),
        ({"surgery.scores": "attribution", "surgery.scores.facts": "{}"}, "unet/weight"),
    ],
)
def test_a_model_is_no_score_file(tmp_path: Path, metadata: dict[str, str], name: str) -> None:
    save_file({name: np.ones((2, 2))}, tmp_path / "m.safetensors", metadata=metadata)
    with pytest.raises(CheckpointError, match="this is no score file"):
        read_scores(tmp_path / "m.safetensors")


@pytest.mark.parametrize("facts", ["[]", "{", '{"a": [1]}', "[" * 5000])
def test_facts_that_are_none_are_refused(tmp_path: Path, facts: str) -> None:
    told = {"surgery.scores": "attribution", "surgery.scores.facts": facts}
    save_file({f"values/{SITE}": np.ones((2, 2))}, tmp_path / "m.safetensors", metadata=told)
    with pytest.raises(CheckpointError, match="does not say what it is about"):
        read_scores(tmp_path / "m.safetensors")


def test_scores_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    write_scores(Scores("attribution", {SITE: np.array([1, np.nan])}), tmp_path / "s.safetensors")
    found = read_scores(tmp_path / "s.safetensors")
    with pytest.raises(CheckpointError, match="NaN or infinite"):
        found.of(SITE)
