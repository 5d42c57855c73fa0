"""What is missing for a metric is one sentence, and nothing is fetched."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from types import ModuleType

import pytest

from surgery.errors import CheckpointError, UsageError
from surgery.judges import metric_files
from surgery.judges.metric_files import NEEDS, check_metrics, imported, ready, tensors_only
from tests.judges.weights import place

FORCE = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    return tmp_path


def installed(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    monkeypatch.setattr(metric_files, "find_spec", lambda name: name if name in names else None)


@pytest.mark.parametrize(
    ("name", "there", "missing"),
    [
        ("lpips", (), "LPIPS needs torchmetrics and torchvision, not"),
        ("lpips", ("torchmetrics",), "LPIPS needs torchvision, not"),
        ("fid", ("torchmetrics", "torchvision"), "FID needs torch_fidelity, not"),
    ],
)
def test_missing_packages_are_named_with_the_command_that_brings_them(
    name: str, there: tuple[str, ...], missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(monkeypatch, *there)
    with pytest.raises(UsageError) as caught:
        ready(name)
    assert str(caught.value).startswith(f"--metric {name}: {missing} installed here; pip install")
    assert "'surgery[metrics]'" in str(caught.value)


def test_missing_weights_are_named_with_the_place_where_they_belong(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(monkeypatch, *NEEDS["lpips"].packages)
    with pytest.raises(UsageError) as caught:
        ready("lpips")
    said = str(caught.value)
    assert "nothing is downloaded for it" in said
    assert f"put {NEEDS['lpips'].url} into {home / 'hub' / 'checkpoints'}" in said
    assert list(home.rglob("*.pth")) == []


def test_weights_that_are_others_than_their_name_says_are_refused(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(monkeypatch, *NEEDS["fid"].packages)
    place(monkeypatch, home, "fid", b"weights").write_bytes(b"others")
    with pytest.raises(CheckpointError, match=r"SHA-256 begins with \w{8}, not with"):
        ready("fid")


def test_a_package_that_does_not_go_with_torch_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(name: str) -> ModuleType:
        raise RuntimeError("operator torchvision::nms does not exist\nand more")

    monkeypatch.setattr(metric_files.importlib, "import_module", broken)
    with pytest.raises(UsageError, match=r"beside torch \d.*nms does not exist; install the torch"):
        imported("lpips")


def test_a_metric_that_is_not_known_is_refused_with_the_nearest() -> None:
    check_metrics(["lpips", "fid"])
    with pytest.raises(UsageError, match="there is no metric 'lpip'; did you mean 'lpips'"):
        check_metrics(["lpip"])


@pytest.mark.parametrize("before", [None, "0"])
def test_torch_is_told_to_read_tensors_alone_and_only_meanwhile(
    before: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(FORCE, raising=False)
    if before is not None:
        monkeypatch.setenv(FORCE, before)
    with tensors_only(Path("a.pth")):
        assert os.environ[FORCE] == "1"
    assert os.environ.get(FORCE) == before
    with (
        pytest.raises(CheckpointError, match=r"a\.pth: cannot be read: no"),
        tensors_only(Path("a.pth")),
    ):
        raise pickle.UnpicklingError("no\nand more")
    assert os.environ.get(FORCE) == before
