"""Hooks: how activations are changed while a network runs. The only file that registers any.

What to change is said by whoever calls; nothing is measured or scored here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn

At: TypeAlias = Literal["context", "input", "output"]
CONTEXT = "encoder_hidden_states"
"""How diffusers calls what an attention layer reads besides the picture."""


@dataclass(frozen=True, slots=True, eq=False)
class Hook:
    """One change of what flows into or out of a module.

    Args:
        module: the module.
        at: `context`, what a cross-attention layer is called with besides the picture; `input`,
            the first thing that the module is called with; or `output`, what it gives (the first
            of several).
        change: takes that tensor, rows first, and gives what stands in its place.
    """

    module: nn.Module
    at: At
    change: Callable[[Tensor], Tensor]


def behind(hook: Hook, first: int) -> Hook:
    """The same change, of the rows from `first` on alone, where others go before them."""
    return Hook(
        hook.module, hook.at, lambda rows: torch.cat([rows[:first], hook.change(rows[first:])])
    )


@contextmanager
def intervene(hooks: Sequence[Hook]) -> Iterator[None]:
    """Keep the changes in force for the block; none is left after it, whatever ends it."""
    with ExitStack() as registered:
        for hook in hooks:
            registered.callback(_register(hook))
        yield


@contextmanager
def gradients(
    wanted: Mapping[str, nn.Parameter],
    among: Iterable[nn.Parameter],
    take: Callable[[str, Tensor], None],
) -> Iterator[None]:
    """Give these parameters gradients in the block, and no other; all is as it was after it.

    Args:
        wanted: name -> parameter.
        among: all parameters that a gradient could be found for.
        take: handed the gradient of a parameter as soon as it is whole; then it is let go of, so
            that one is held at a time.
    """
    with ExitStack() as undone:
        for one in among:
            undone.callback(one.requires_grad_, one.requires_grad)
            one.requires_grad_(False)
        for name, one in wanted.items():
            undone.callback(setattr, one, "grad", one.grad)
            one.grad = None
            one.requires_grad_(True)
            handed = partial(_handed, name, take)
            undone.callback(one.register_post_accumulate_grad_hook(handed).remove)
        yield


def _handed(name: str, take: Callable[[str, Tensor], None], parameter: Tensor) -> None:
    assert parameter.grad is not None
    take(name, parameter.grad)
    parameter.grad = None


def _register(hook: Hook) -> Callable[[], None]:
    if hook.at == "input":

        def entering(module: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            return (hook.change(args[0]), *args[1:])

        return hook.module.register_forward_pre_hook(entering).remove

    if hook.at == "context":

        def before(
            module: nn.Module, args: tuple[object, ...], named: dict[str, Tensor]
        ) -> tuple[tuple[object, ...], dict[str, Tensor]]:
            return args, {**named, CONTEXT: hook.change(named[CONTEXT])}

        return hook.module.register_forward_pre_hook(before, with_kwargs=True).remove

    def after(module: nn.Module, args: object, output: Tensor | tuple[Tensor, ...]) -> object:
        if isinstance(output, tuple):
            return (hook.change(output[0]), *output[1:])
        return hook.change(output)

    return hook.module.register_forward_hook(after).remove
