from __future__ import annotations

from dataclasses import replace

from surgery.cli.lora_page import SHOWN, lora_page, next_steps
from surgery.cli.page import Line, Page, Table
from surgery.lora.check import LoraTensor
from surgery.lora.export import LoraReport

TENSOR = LoraTensor("t/a.weight", ("t.a",), (8, 8), 2, 0.5, 1e-8, 2e-8, 3e-7)
REPORT = LoraReport(
    recipe="mine",
    model="atelier",
    fingerprint="abc",
    layout="sd1",
    format="diffusers",
    dtype="f32",
    rank=2,
    components=("unet",),
    tensors=(TENSOR,),
    out="it's.safetensors",
    files=("it's.safetensors",),
    bytes_lora=1000,
    bytes_total=100_000,
    seconds=0.5,
)


def lines(page: Page) -> str:
    return "\n".join(block.text for block in page if isinstance(block, Line))


def table(page: Page) -> Table:
    (found,) = [block for block in page if isinstance(block, Table)]
    return found


def test_each_layer_has_its_rank_its_difference_and_what_is_allowed() -> None:
    assert table(lora_page(REPORT)).rows == (("t.a", "2", "50.0 %", "1e-08", "2e-08", "3e-07"),)


def test_the_layers_of_a_fused_tensor_share_a_row() -> None:
    fused = replace(REPORT, tensors=(replace(TENSOR, modules=("q", "k")),))
    assert table(lora_page(fused)).rows[0][0] == "q\nk"
    assert "a LoRA of 2 layers" in lines(lora_page(fused))


def test_a_long_list_is_cut_and_says_so() -> None:
    long = replace(REPORT, tensors=(TENSOR,) * 32)
    assert len(table(lora_page(long)).rows) == SHOWN
    assert f"{32 - SHOWN} more" in lines(lora_page(long))


def test_what_came_over_the_network_is_told() -> None:
    far = replace(REPORT, fetched=2000, requests=3)
    assert "fetched 2.0 kB of 100.0 kB (2,000 bytes) by 3 requests" in lines(lora_page(far))
    assert "fetched" not in lines(lora_page(REPORT))


def test_a_dry_run_names_no_file() -> None:
    assert lines(next_steps(replace(REPORT, out=None))) == "dry run: nothing was written"


def test_the_line_of_python_quotes_the_path() -> None:
    assert 'pipeline.load_lora_weights("it\'s.safetensors")' in lines(next_steps(REPORT))
