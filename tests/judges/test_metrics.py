"""LPIPS and FID through torchmetrics' own API, with small networks in the place of theirs.

AlexNet's features are those of torchvision's model, drawn at random; the heads on them are the
trained ones that torchmetrics ships.
"""

from __future__ import annotations

import sys
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from surgery.errors import CheckpointError
from surgery.judges import metric_files
from surgery.judges.metrics import Frechet, load_frechet, load_lpips
from tests.judges.weights import place

pytest.importorskip("torchmetrics", reason="torchmetrics is not installed")


class Colours(nn.Module):
    """A network whose features are the mean of each colour, and of a corner of it."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(1 / 255), requires_grad=False)

    def forward(self, pictures: Tensor) -> Tensor:
        found = pictures.float() * self.scale
        return torch.cat([found.mean((2, 3)), found[:, :, :4, :4].mean((2, 3))], dim=1)


def pictures(count: int, seed: int = 0) -> Tensor:
    draw = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 3, 64, 64), generator=draw, dtype=torch.uint8)


def test_fid_is_nothing_between_the_same_pictures() -> None:
    frechet = Frechet("abc", Colours())
    features = frechet.features(pictures(12))
    assert features.shape == (12, 6)
    assert frechet.between(features, features) == pytest.approx(0, abs=1e-4)


def test_fid_of_features_that_all_move_alike_is_the_square_of_the_way() -> None:
    features = torch.randn(50, 6, generator=torch.Generator().manual_seed(1))
    found = Frechet("abc", Colours()).between(features, features + 2)
    assert found == pytest.approx(6 * 2**2, rel=1e-4)


def test_features_do_not_depend_on_what_stands_beside() -> None:
    frechet, some = Frechet("abc", Colours()), pictures(6)
    alone = torch.cat([frechet.features(one[None]) for one in some])
    torch.testing.assert_close(frechet.features(some), alone)


@pytest.fixture
def torchvision(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A stand-in with AlexNet's features, which loads its weights as the original does."""
    import torchmetrics.functional.image.lpips as inner
    import torchmetrics.image.lpip as outer

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    torch.manual_seed(0)
    network, file = _alexnet(), BytesIO()
    torch.save(network.state_dict(), file)
    path = place(monkeypatch, tmp_path, "lpips", file.getvalue())

    def alexnet(weights: object) -> SimpleNamespace:
        assert weights == "the trained ones"
        made = _alexnet()
        made.load_state_dict(torch.load(path, weights_only=False))
        return SimpleNamespace(features=made)

    package, models = ModuleType("torchvision"), ModuleType("torchvision.models")
    models.alexnet = alexnet  # type: ignore[attr-defined]
    models.AlexNet_Weights = SimpleNamespace(DEFAULT="the trained ones")  # type: ignore[attr-defined]
    package.models = models  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torchvision", package)
    monkeypatch.setitem(sys.modules, "torchvision.models", models)
    for module in (inner, outer):
        monkeypatch.setattr(module, "_TORCHVISION_AVAILABLE", True)
    monkeypatch.setattr(metric_files, "find_spec", lambda name: name)
    return path


def _alexnet() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(), nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(),
        nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(),
    )  # fmt: skip


def test_lpips_tells_each_pair_by_itself(torchvision: Path) -> None:
    lpips = load_lpips()
    before = pictures(3).float() / 127.5 - 1
    after = before.clone()
    after[1] = -after[1]
    after[2, :, :8, :8] = 1
    same, turned, touched = lpips.between(before, after)
    assert same == 0
    assert turned > touched > 0
    assert lpips.between(before[1:2], after[1:2]) == [turned]
    assert lpips.digest == sha256(torchvision.read_bytes()).hexdigest()[:12]


def test_weights_that_hold_more_than_tensors_are_not_run(
    torchvision: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = BytesIO()
    torch.save({"0.weight": Trap()}, file)
    path = place(monkeypatch, tmp_path, "lpips", file.getvalue())
    torchvision.write_bytes(path.read_bytes())
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_lpips()
    assert not Trap.sprung


class Trap:
    sprung = False

    def __reduce__(self) -> tuple[object, tuple[()]]:
        return spring, ()


def spring() -> None:
    Trap.sprung = True


def test_fid_takes_its_weights_from_the_place_that_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import torchmetrics.image.fid as module

    path, asked = place(monkeypatch, tmp_path, "fid", b"weights"), []

    class Inception(Colours):
        def __init__(self, name: str, features_list: list[str], **more: object) -> None:
            super().__init__()
            asked.append((features_list, more["feature_extractor_weights_path"]))

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(module, "NoTrainInceptionV3", Inception)
    monkeypatch.setattr(module, "_TORCH_FIDELITY_AVAILABLE", True)
    monkeypatch.setattr(metric_files, "find_spec", lambda name: name)
    found = load_frechet()
    assert asked == [(["2048"], str(path))]
    assert found.digest == sha256(b"weights").hexdigest()[:12]
    assert found.features(pictures(2)).shape == (2, 6)
