"""Opens a checkpoint, wherever it is: an address is located, then read by `local` or `hub`."""

from __future__ import annotations

from pathlib import Path

from surgery.store.address import locate, on_hub
from surgery.store.contents import Checkpoint, TensorRef
from surgery.store.header import MAX_HEADER
from surgery.store.local import open_local
from surgery.store.parts import Terms

__all__ = ["Checkpoint", "TensorRef", "open_checkpoint"]


def open_checkpoint(
    address: str | Path, *, max_header: int = MAX_HEADER, allow_pickle: bool = False
) -> Checkpoint:
    """Open the model at `address` from its headers alone.

    Args:
        address: `atelier`, a safetensors file, a `*.safetensors.index.json`, a diffusers folder,
            or the folder of one component (a config.json beside its weights), a DDUF file, or a
            place on the Hub (`org/name[@revision]`, `hf://org/name[@revision]/file`).
        max_header: bytes that a header may have.
        allow_pickle: convert weights that are pickles with torch's restricted loader, in a process
            of its own; what is opened then is the temporary safetensors file made from them.

    Raises:
        CheckpointError: nothing there, damaged, ambiguous, pickles only, or half edited in place.
        HubError: an address on the Hub that cannot be read.
    """
    terms = Terms(max_header, allow_pickle)
    if (remote := on_hub(address)) is None:
        return open_local(str(address), locate(address), terms)
    # Imported here because reading a model of this machine never needs it.
    from surgery.store.hub import open_hub

    return open_hub(remote, terms)
