"""Training: stages resume where they stopped, captions tell the truth, parts have their shapes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

from surgery.atelier.clip import Towers, blank_clip, caption_of, tokenize
from surgery.atelier.judge import Judge, judge_loss, load_judge, read, save_judge
from surgery.atelier.pictures import PAINTERS, THINGS, UNSAID, labels, render
from surgery.atelier.schedule import Run, cosine
from surgery.atelier.unet import blank_unet
from surgery.atelier.vae import blank_vae
from surgery.atelier.vocabulary import LENGTH, corpus, learn_tokenizer
from surgery.atelier.world import Scene, is_held_out, scenes


def _line(folder: Path, steps: int) -> Run:
    torch.manual_seed(0)
    return Run("line", nn.Linear(2, 1), steps, 0.1, folder, keep_mean=0.9)


def _train(run: Run, until: int) -> None:
    for step, chance in run.remaining():
        if step == until:
            return
        seen = torch.from_numpy(chance.standard_normal((8, 2))).float()
        run.descend(((run.model(seen) - seen.sum(1, keepdim=True)) ** 2).mean())


def test_a_stopped_run_ends_where_an_unbroken_one_does(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    whole = _line(tmp_path / "a", 20)
    _train(whole, 20)
    first = _line(tmp_path / "b", 20)
    _train(first, 9)
    first.save()
    second = _line(tmp_path / "b", 20)
    assert second.step == 9
    _train(second, 20)
    assert torch.equal(whole.model.weight, second.model.weight)
    assert torch.equal(whole.mean["weight"], second.mean["weight"])


def test_the_learning_rate_warms_up_and_comes_down() -> None:
    rates = [cosine(step, 1000, 1.0) for step in range(1000)]
    assert rates[0] < 0.05 < max(rates) <= 1.0
    assert rates[-1] < 0.03
    assert rates[100:] == sorted(rates[100:], reverse=True)


def test_drawn_pictures_are_read_back_the_second_time_and_leave_out_what_is_held_out(
    tmp_path: Path,
) -> None:
    first = render(tmp_path, 40, seed=1)
    again = render(tmp_path, 40, seed=1)
    assert np.array_equal(first.pixels, again.pixels)
    assert first.batch(np.array([3, 1])).shape == (2, 3, 64, 64)
    unseen = {labels(scene) for scene in scenes() if is_held_out(scene)}
    assert not unseen & {tuple(row) for row in first.labels.tolist()}


def test_a_batch_keeps_the_order_of_its_rows(tmp_path: Path) -> None:
    pictures = render(tmp_path, 10, seed=2)
    turned = pictures.batch(np.array([7, 2, 7]))
    assert torch.equal(turned[0], pictures.batch(np.array([7]))[0])
    assert torch.equal(turned[1], pictures.batch(np.array([2]))[0])


def test_every_caption_demands_only_what_is_true() -> None:
    chance = np.random.default_rng(0)
    scene = Scene("star", "red", "monet")
    for _ in range(50):
        caption = caption_of(np.array(labels(scene)), chance)
        thing, colour, artist = caption.demand
        assert artist == PAINTERS.index("monet")
        assert "monet" in caption.text
        assert (thing == THINGS.index("star")) == ("star" in caption.text)
        assert (colour != UNSAID) == ("red" in caption.text.split())


def test_the_vocabulary_says_every_caption_within_the_window_and_splits_names() -> None:
    tokenizer = learn_tokenizer()
    assert max(len(tokenizer(text).input_ids) for text in corpus()) <= LENGTH
    assert len(tokenizer.tokenize("hokusai")) > 1
    assert tokenize(tokenizer, ["a red star"]).shape == (1, LENGTH)


def test_the_parts_fit_each_other() -> None:
    tokenizer = learn_tokenizer()
    towers = Towers(blank_clip(tokenizer))
    ids, pictures = tokenize(tokenizer, ["a red star"]), torch.zeros(1, 3, 64, 64)
    text, image = towers(ids, pictures)
    assert text.shape == image.shape
    latents = blank_vae().encode(pictures).latent_dist.mean
    assert latents.shape == (1, 4, 8, 8)
    states = towers.clip.text_model(ids).last_hidden_state
    assert blank_unet()(latents, 5, states).sample.shape == latents.shape


def test_a_judge_learns_from_its_loss_and_survives_a_file(tmp_path: Path) -> None:
    torch.manual_seed(0)
    judge = Judge()
    seen, truth = torch.randn(4, 3, 64, 64), torch.tensor([[0, 1, 2], [3, UNSAID, 0]] * 2)
    before = judge_loss(judge(seen), truth)
    descent = torch.optim.Adam(judge.parameters(), 1e-2)
    for _ in range(5):
        descent.zero_grad()
        judge_loss(judge(seen), truth).backward()
        descent.step()
    assert judge_loss(judge(seen), truth) < before
    save_judge(judge, tmp_path / "judge.safetensors")
    assert torch.equal(
        read(load_judge(tmp_path / "judge.safetensors"), seen).thing, read(judge, seen).thing
    )
