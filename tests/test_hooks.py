"""Hooks change what they are asked to change, and none is left, whatever ends the block."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from surgery.hooks import Hook, behind, intervene


class Reader(nn.Module):
    """Called as an attention layer of diffusers is."""

    def forward(self, hidden: Tensor, encoder_hidden_states: Tensor) -> Tensor:
        return hidden + encoder_hidden_states


class Several(nn.Module):
    def forward(self, hidden: Tensor) -> tuple[Tensor, str]:
        return hidden, "beside"


def twice(module: nn.Module) -> Hook:
    return Hook(module, "output", lambda output: 2 * output)


def count(*modules: nn.Module) -> int:
    return sum(len(one._forward_hooks) + len(one._forward_pre_hooks) for one in modules)


def test_the_output_is_changed_inside_the_block_alone() -> None:
    module, ones = nn.Identity(), torch.ones(2)
    with intervene([twice(module)]):
        assert module(ones).tolist() == [2, 2]
    assert module(ones).tolist() == [1, 1]
    assert ones.tolist() == [1, 1]


def test_of_several_outputs_the_first_is_changed() -> None:
    module = Several()
    with intervene([twice(module)]):
        changed, beside = module(torch.ones(1))
    assert changed.tolist() == [2]
    assert beside == "beside"


def test_the_context_is_changed_and_the_picture_is_not() -> None:
    module, hidden, context = Reader(), torch.tensor([10.0]), torch.tensor([1.0])
    with intervene([Hook(module, "context", lambda told: -told)]):
        assert module(hidden, encoder_hidden_states=context).tolist() == [9]
    assert context.tolist() == [1]


def test_changes_of_one_module_follow_one_another_in_their_order() -> None:
    module = nn.Identity()
    plus = Hook(module, "output", lambda output: output + 1)
    with intervene([twice(module), plus]):
        assert module(torch.ones(1)).tolist() == [3]
    with intervene([plus, twice(module)]):
        assert module(torch.ones(1)).tolist() == [4]


def test_blocks_inside_one_another_take_only_their_own_changes_away() -> None:
    module = nn.Identity()
    with intervene([twice(module)]):
        with intervene([twice(module)]):
            assert module(torch.ones(1)).tolist() == [4]
        assert module(torch.ones(1)).tolist() == [2]
    assert count(module) == 0


@pytest.mark.parametrize("ending", [None, ValueError, KeyboardInterrupt, SystemExit])
def test_no_hook_is_left_whatever_ends_the_block(ending: type[BaseException] | None) -> None:
    modules = nn.Identity(), Reader()
    hooks = [twice(modules[0]), Hook(modules[1], "context", torch.neg), twice(modules[1])]
    try:
        with intervene(hooks):
            assert count(*modules) == 3
            if ending is not None:
                raise ending
    except (ValueError, KeyboardInterrupt, SystemExit) as error:
        assert type(error) is ending
    assert count(*modules) == 0


def test_no_hook_is_left_where_a_change_itself_fails() -> None:
    module = nn.Identity()

    def fail(output: Tensor) -> Tensor:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), intervene([twice(module), Hook(module, "output", fail)]):
        module(torch.ones(1))
    assert count(module) == 0


def test_hooks_that_were_set_are_taken_away_where_a_later_one_cannot_be() -> None:
    module = nn.Identity()
    broken = Hook(None, "output", torch.neg)  # type: ignore[arg-type]
    with pytest.raises(AttributeError), intervene([twice(module), broken]):
        raise AssertionError("the block must not begin")
    assert count(module) == 0


def test_no_hooks_are_no_change() -> None:
    with intervene([]):
        assert nn.Identity()(torch.ones(1)).tolist() == [1]


@pytest.mark.parametrize("at", ["context", "output"])
def test_a_change_of_the_rows_behind_others_leaves_those_alone(at: str) -> None:
    module, rows = Reader(), torch.tensor([[1.0], [2.0], [3.0]])
    hook = Hook(module, at, lambda told: 10 * told)  # type: ignore[arg-type]
    with intervene([behind(hook, 2)]):
        found = module(torch.zeros(3, 1), encoder_hidden_states=rows)
    assert found.flatten().tolist() == [1, 2, 30]
