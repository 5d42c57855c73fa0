from __future__ import annotations

import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save, save_file

from surgery.doctor import DoctorReport, doctor
from surgery.errors import CheckpointError
from tests.helpers.tiny import write_pipeline
from tests.store.build import entry, file_bytes, framed, write_json, write_shards

Arrays = dict[str, np.ndarray]
IDS = "text_model.embeddings.position_ids"


def examined(folder: Path, tensors: Arrays, metadata: dict[str, str] | None = None) -> DoctorReport:
    save_file(tensors, folder / "m.safetensors", metadata=metadata)
    return doctor(folder / "m.safetensors")


def checks(report: DoctorReport, severity: str = "broken") -> list[str]:
    return [finding.check for finding in report.findings if finding.severity == severity]


def ones(*shape: int) -> np.ndarray:
    return np.ones(shape, np.float32)


def test_a_sound_pipeline_has_nothing_broken(tmp_path: Path) -> None:
    report = doctor(write_pipeline(tmp_path / "m"))
    assert report.sound
    assert report.tensors > 10


def test_numbers_that_are_not_finite_are_counted_across_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["surgery.doctor"], "PIECE", 16)
    values = ones(10, 3)
    values[0, 0], values[9, 2], values[5, 1] = np.nan, np.nan, np.inf
    report = examined(tmp_path, {"w": values, "good": ones(4)})
    (finding,) = report.findings
    assert (finding.where, finding.severity) == ("w", "broken")
    assert finding.what == "2 NaN and 1 infinite numbers"
    assert not report.sound


def test_progress_counts_every_byte(tmp_path: Path) -> None:
    save_file({"a": ones(100), "b": ones(3)}, tmp_path / "m.safetensors")
    seen: list[int] = []
    doctor(tmp_path / "m.safetensors", watch=lambda total: seen.append)
    assert sum(seen) == 412


@pytest.mark.parametrize("key", ["modelspec.hash_sha256", "sshs_model_hash"])
@pytest.mark.parametrize("stale", [False, True])
def test_a_stale_hash_is_found_and_a_right_one_is_not(
    tmp_path: Path, key: str, stale: bool
) -> None:
    data = ones(7).tobytes()
    right = ("0x" if key.startswith("modelspec") else "") + sha256(data).hexdigest().upper()
    report = examined(tmp_path, {"w": ones(7)}, {key: "0x12" if stale else right})
    assert checks(report) == (["hash"] if stale else [])


def test_a_hash_from_before_a_recorded_edit_is_a_note(tmp_path: Path) -> None:
    metadata = {"modelspec.hash_sha256": "0x12", "surgery.version": "1"}
    report = examined(tmp_path, {"w": ones(7)}, metadata)
    assert report.sound
    assert checks(report, "note") == ["hash"]


@pytest.mark.parametrize(
    ("ids", "broken"),
    [
        (np.arange(77)[None], False),
        (np.arange(77, dtype=np.int32), False),
        (np.arange(77)[None] + 1, True),
        (np.arange(77).astype(np.float16), True),
        (np.arange(77).astype(np.float32) * 1.01, True),
        (np.zeros(77, np.int64), True),
        (np.arange(1).reshape(1, 1), False),
    ],
)
def test_position_ids_must_count_from_zero_in_whole_numbers(
    tmp_path: Path, ids: np.ndarray, broken: bool
) -> None:
    report = examined(tmp_path, {IDS: ids, "w": ones(2)})
    assert checks(report) == (["position ids"] if broken else [])


def test_matrices_of_zeros_are_noted_and_vectors_are_not(tmp_path: Path) -> None:
    report = examined(tmp_path, {"w": 0 * ones(2, 2), "bias": 0 * ones(2), "e": ones(0, 2)})
    assert report.sound
    assert [finding.where for finding in report.findings] == ["w"]


def test_data_off_its_word_size_is_noted(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(framed({"a": entry("U8", [1], 0, 1), "b": entry("F32", [1], 1, 5)}, b"abcde"))
    assert checks(doctor(path), "note") == ["alignment"]
    path.write_bytes(file_bytes({"b": ("F32", (1,))}, pad=1))
    assert checks(doctor(path), "note") == ["alignment"]


@pytest.mark.parametrize(
    ("name", "raw", "severity"),
    [
        ("config.pickle", b"\x80\x04}.", "note"),
        ("old.ckpt", b"", "note"),
        ("scheduler.json", b"\x80\x02}q\0.", "broken"),
        ("notes.txt", b"cos\nsystem\n(S'true'\ntR.", "broken"),
        ("vae.dat", b"PK\x03\x04" + bytes(26) + b"archive/data.pkl", "broken"),
        ("notes.md", b"cost\nnothing else\n", ""),
        ("fine.zip", b"PK\x03\x04" + bytes(26) + b"readme.txt", ""),
    ],
)
def test_pickles_are_told_by_content(tmp_path: Path, name: str, raw: bytes, severity: str) -> None:
    folder = write_pipeline(tmp_path / "m")
    (folder / name).write_bytes(raw)
    found = [item for item in doctor(folder).findings if item.check == "pickle"]
    assert [item.severity for item in found] == ([severity] if severity else [])


def test_shards_beside_the_index_and_wrong_totals_are_noted(tmp_path: Path) -> None:
    index = write_shards(tmp_path / "m", "model")
    write_json(tmp_path / "m" / "config.json", {})
    # The bytes of these files are random, and so some of them are NaN.
    assert "shards" not in checks(doctor(tmp_path / "m"), "note")
    extra = tmp_path / "m" / "model-00003-of-00003.safetensors"
    extra.write_bytes(file_bytes({"x": ("U8", (1,))}))
    text = index.read_text().replace(
        '{"weight_map"', '{"metadata": {"total_size": 1}, "weight_map"'
    )
    index.write_text(text)
    assert checks(doctor(tmp_path / "m"), "note").count("shards") == 2


def test_what_cannot_be_opened_is_a_finding_and_what_is_not_there_an_error(tmp_path: Path) -> None:
    index = write_shards(tmp_path / "m", "model")
    (tmp_path / "m" / "model-00002-of-00002.safetensors").unlink()
    report = doctor(index)
    assert checks(report) == ["opening"]
    with pytest.raises(CheckpointError):
        doctor(tmp_path / "nothing")


LDM = "model.diffusion_model.out.2.weight"


@pytest.mark.parametrize(
    ("copies", "broken"),
    [
        (
            ["model_ema.diffusion_modelout2weight", "model_ema.decay", "model_ema.num_updates"],
            False,
        ),
        (["model_ema.decay"], False),
        (["model_ema.diffusion_modelout2bias"], True),
        (["model_ema.diffusion_modelout2weight", "model_ema.more"], True),
    ],
)
def test_ema_copies_must_match_their_originals(
    tmp_path: Path, copies: list[str], broken: bool
) -> None:
    report = examined(tmp_path, {name: ones(2) for name in (LDM, *copies)})
    assert checks(report) == (["ema"] if broken else [])


def test_several_float_types_in_one_part_are_noted(tmp_path: Path) -> None:
    report = examined(tmp_path, {"a": ones(2), "b": ones(2).astype(np.float16)})
    assert checks(report, "note") == ["types"]
    assert report.sound


def test_it_survives_json(tmp_path: Path) -> None:
    report = examined(tmp_path, {"a": np.nan * ones(2)})
    assert DoctorReport.from_json(report.to_json()) == report


def test_it_changes_nothing(tmp_path: Path) -> None:
    raw = save({"a": ones(2)})
    (tmp_path / "m.safetensors").write_bytes(raw)
    doctor(tmp_path / "m.safetensors")
    assert (tmp_path / "m.safetensors").read_bytes() == raw
