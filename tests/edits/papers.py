"""What four published edits compute, the slow way from their formulas, and what they minimise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from surgery.edits.base import Context, Edit, Matrix
from surgery.edits.cure import Cure
from surgery.edits.double_projection import DoubleProjection
from surgery.edits.held import HeldEdit
from surgery.edits.rece import Rece
from surgery.edits.speed import Speed
from surgery.layout import Site

Changes = Mapping[Site, torch.Tensor]
Weights = Mapping[Site, Matrix]


def uce(weight: Matrix, keys: Matrix, outputs: Matrix, edit: Rece, given: Context) -> Matrix:
    """UCE, eq. 7, with this package's ridge and scale: (sum v k' + ...)(sum k k' + ...)^-1."""
    ridge = edit.ridge * np.mean(np.sum(keys**2, axis=1))
    firm = edit.preserve_scale * given.key_weights.sum() / given.preserve_weights.sum()
    held = firm * given.preserve.T * given.preserve_weights @ given.preserve
    left = outputs.T * given.key_weights @ keys + weight @ held + ridge * weight
    right = keys.T * given.key_weights @ keys + held + ridge * np.eye(keys.shape[1])
    return left @ np.linalg.inv(right)


def attack(before: Sequence[Matrix], after: Sequence[Matrix], keys: Matrix, ridge: float) -> Matrix:
    """RECE's embedding, c' = (lam I + sum W'^T W')^-1 (sum W'^T W) c."""
    width = keys.shape[1]
    size = ridge * sum(np.sum(weight**2) for weight in before) / width
    left = size * np.eye(width) + sum(weight.T @ weight for weight in after)
    right = sum(new.T @ old for new, old in zip(after, before, strict=True))
    return (np.linalg.inv(left) @ right @ keys.T).T


def rece(edit: Rece, before: Sequence[Matrix], given: Context) -> list[Matrix]:
    goals = given.keys + edit.strength * (given.targets - given.keys)
    after = [uce(weight, given.keys, goals @ weight.T, edit, given) for weight in before]
    for _ in range(edit.rounds):
        after = rece_round(edit, before, after, given)[1]
    return after


def rece_round(
    edit: Rece, before: Sequence[Matrix], after: Sequence[Matrix], given: Context
) -> tuple[tuple[Matrix, Matrix], list[Matrix]]:
    found = attack(before, after, given.keys, edit.adversarial_ridge)
    goals = found + edit.strength * (given.targets - found)
    return (found, goals), [uce(weight, found, goals @ weight.T, edit, given) for weight in after]


def rece_objective(edit: Edit, changes: Changes, before: Weights, given: Context) -> torch.Tensor:
    """That of the last round, from the weights as the round before left them."""
    assert isinstance(edit, Rece)
    assert edit.rounds > 0
    olds = [before[site] for site in changes]
    start = rece(edit.model_copy(update={"rounds": edit.rounds - 1}), olds, given)
    (keys, goals), _ = rece_round(edit, olds, start, given)
    counts, firm = torch.tensor(given.key_weights), torch.tensor(given.preserve_weights)
    share = edit.preserve_scale * counts.sum() / firm.sum()
    total = torch.zeros((), dtype=torch.float64)
    for old, last, change in zip(olds, start, changes.values(), strict=True):
        found = torch.tensor(old) + change
        step = found - torch.tensor(last)
        missed = torch.tensor(keys) @ found.T - torch.tensor(goals @ last.T)
        total = total + (counts[:, None] * missed**2).sum()
        total = total + share * (firm[:, None] * (torch.tensor(given.preserve) @ step.T) ** 2).sum()
        total = total + edit.ridge * np.mean(np.sum(keys**2, axis=1)) * (step**2).sum()
    return total


def null_projector(states: Matrix, weights: Matrix, threshold: float) -> Matrix:
    covered = states.T * weights @ states
    sizes, vectors = np.linalg.eigh(covered / np.trace(covered))
    kept = vectors[:, sizes < threshold]
    return kept @ kept.T


def speed(edit: Speed, weight: Matrix, given: Context, fixed: Matrix) -> Matrix:
    """dW = W (C* C1' - C1 C1') P Q M with columns as in the paper, and r for its 1."""
    root = np.sqrt(given.key_weights)
    keys = (given.keys * root[:, None]).T
    anchors = ((given.keys + edit.strength * (given.targets - given.keys)) * root[:, None]).T
    ridge = edit.ridge * np.mean(np.sum(given.keys**2, axis=1))
    held, firm = speed_held(edit, given, fixed)
    null = null_projector(held, firm, edit.threshold)
    eye = np.eye(len(null))
    m = np.linalg.inv(keys @ keys.T @ null / ridge + eye)
    q = eye
    if len(fixed):
        hard = fixed.T
        q = eye - m @ hard @ np.linalg.inv(hard.T @ null @ m @ hard) @ hard.T @ null
    return weight @ (anchors - keys) @ keys.T @ null @ q @ m / ridge


def speed_held(edit: Speed, given: Context, fixed: Matrix) -> tuple[Matrix, Matrix]:
    """What an edit that holds the invariants alone would move more than the mean."""
    soft = np.isfinite(given.preserve_weights)
    held, firm = given.preserve[soft], given.preserve_weights[soft]
    if not edit.selective:
        return held, firm
    free = np.eye(given.keys.shape[1])
    if len(fixed):
        free -= fixed.T @ np.linalg.inv(fixed @ fixed.T) @ fixed
    ridge = edit.ridge * np.mean(np.sum(given.keys**2, axis=1))
    counted = given.keys.T * given.key_weights
    inner = free @ counted @ given.keys @ free + ridge * np.eye(len(free))
    step = (given.targets - given.keys).T * given.key_weights @ given.keys @ free
    moved = np.linalg.norm(held @ (step @ np.linalg.inv(inner)).T, axis=1)
    return held[moved >= moved.mean()], firm[moved >= moved.mean()]


def safe(keys: Matrix, targets: Matrix) -> Matrix:
    """c* = S (S'S)^+ S' c."""
    return (targets.T @ np.linalg.pinv(targets @ targets.T) @ targets @ keys.T).T


def held_objective(edit: Edit, changes: Changes, before: Weights, given: Context) -> torch.Tensor:
    """Of the part in the null space; what is outside of it must be nothing."""
    assert isinstance(edit, HeldEdit)
    held, firm, wanted = given.preserve, given.preserve_weights, given.targets
    if isinstance(edit, Speed):
        held, firm = speed_held(edit, given, np.zeros((0, held.shape[1])))
    if isinstance(edit, DoubleProjection):
        wanted = safe(given.keys, given.targets)
    null = torch.tensor(null_projector(held, firm, edit.threshold))
    keys, counts = torch.tensor(given.keys), torch.tensor(given.key_weights)
    goals = torch.tensor(given.keys + edit.strength * (wanted - given.keys))
    ridge = edit.ridge * (keys**2).sum(1).mean()
    total = torch.zeros((), dtype=torch.float64)
    for site, change in changes.items():
        weight, inside = torch.tensor(before[site]), change @ null
        missed = keys @ (weight + inside).T - goals @ weight.T
        total = total + (counts[:, None] * missed**2).sum()
        total = total + ridge * (inside**2).sum() + ((change - inside) ** 2).sum()
    return total


def soft_projector(states: Matrix, weights: Matrix, alpha: float) -> Matrix:
    """P = U L U' with L = a r / ((a - 1) r + 1)."""
    vectors, sizes, _ = np.linalg.svd((states * np.sqrt(weights)[:, None]).T)
    share = np.zeros(len(vectors))
    share[: len(sizes)] = sizes**2 / np.sum(sizes**2)
    return vectors * (alpha * share / ((alpha - 1) * share + 1)) @ vectors.T


def cure(edit: Cure, weight: Matrix, given: Context) -> Matrix:
    """dW = -s W (P_f - P_f P_r)."""
    forget = soft_projector(given.keys, given.key_weights, edit.alpha)
    retain = soft_projector(given.preserve, given.preserve_weights, edit.alpha)
    return -edit.strength * weight @ (forget - forget @ retain)


def cure_objective(edit: Edit, changes: Changes, before: Weights, given: Context) -> torch.Tensor:
    """Of Y = W P_f, which is what is taken out before the retained part is put back."""
    assert isinstance(edit, Cure)
    width = given.keys.shape[1]
    retain = soft_projector(given.preserve, given.preserve_weights, edit.alpha)
    back = torch.tensor(np.linalg.inv(np.eye(width) - retain) / edit.strength)
    covered = given.keys.T * given.key_weights @ given.keys
    inside = torch.tensor(covered / np.trace(covered))
    outside = torch.eye(width, dtype=torch.float64) - inside
    total = torch.zeros((), dtype=torch.float64)
    for site, change in changes.items():
        taken, weight = -change @ back, torch.tensor(before[site])
        missed = taken - weight
        total = total + edit.alpha * (missed @ inside * missed).sum()
        total = total + (taken @ outside * taken).sum()
    return total
