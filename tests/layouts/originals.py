"""Names of single files, guessed from diffusers' names so that diffusers' own converters can judge.

A wrong guess cannot pass: `make_dumps` sends marked tensors under these names through the
converter, and the result must be exactly the structure that diffusers builds. Which rows of which
tensor become which parameter is read off the converter's marks, never off this file.
A plan is single-file name -> the parameters whose rows it is expected to hold, in that order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

Plan = dict[str, tuple[str, ...]]
Rules = tuple[tuple[str, str], ...]

RESNET: Rules = (
    ("norm1", "in_layers.0"),
    ("conv1", "in_layers.2"),
    ("time_emb_proj", "emb_layers.1"),
    ("norm2", "out_layers.0"),
    ("conv2", "out_layers.3"),
    ("conv_shortcut", "skip_connection"),
)
UNET_ENDS: Rules = (
    ("time_embedding.linear_1", "time_embed.0"),
    ("time_embedding.linear_2", "time_embed.2"),
    ("add_embedding.linear_1", "label_emb.0.0"),
    ("add_embedding.linear_2", "label_emb.0.2"),
    ("conv_in", "input_blocks.0.0"),
    ("conv_norm_out", "out.0"),
    ("conv_out", "out.2"),
)
OPENCLIP: Rules = (
    ("text_model.encoder.layers.", "transformer.resblocks."),
    ("text_model.embeddings.token_embedding.weight", "token_embedding.weight"),
    ("text_model.embeddings.position_embedding.weight", "positional_embedding"),
    ("text_model.final_layer_norm", "ln_final"),
    ("text_projection.weight", "text_projection"),
    ("layer_norm", "ln_"),
    ("mlp.fc1", "mlp.c_fc"),
    ("mlp.fc2", "mlp.c_proj"),
    ("self_attn.out_proj", "attn.out_proj"),
    ("self_attn.q_proj.", "attn.in_proj_"),
)
SD3: Rules = (
    ("pos_embed.pos_embed", "pos_embed"),
    ("pos_embed.proj", "x_embedder.proj"),
    ("time_text_embed.timestep_embedder.linear_1", "t_embedder.mlp.0"),
    ("time_text_embed.timestep_embedder.linear_2", "t_embedder.mlp.2"),
    ("time_text_embed.text_embedder.linear_1", "y_embedder.mlp.0"),
    ("time_text_embed.text_embedder.linear_2", "y_embedder.mlp.2"),
    ("norm_out.linear", "final_layer.adaLN_modulation.1"),
    ("transformer_blocks.", "joint_blocks."),
    (".norm1.linear", ".x_block.adaLN_modulation.1"),
    (".norm1_context.linear", ".context_block.adaLN_modulation.1"),
    (".attn.add_q_proj", ".context_block.attn.qkv"),
    (".attn.to_q", ".x_block.attn.qkv"),
    (".attn2.to_q", ".x_block.attn2.qkv"),
    (".attn.to_out.0", ".x_block.attn.proj"),
    (".attn2.to_out.0", ".x_block.attn2.proj"),
    (".attn.to_add_out", ".context_block.attn.proj"),
    (".attn.norm_added_q", ".context_block.attn.ln_q"),
    (".attn.norm_added_k", ".context_block.attn.ln_k"),
    (".attn.norm_", ".x_block.attn.ln_"),
    (".attn2.norm_", ".x_block.attn2.ln_"),
    (".ff.net.0.proj", ".x_block.mlp.fc1"),
    (".ff.net.2", ".x_block.mlp.fc2"),
    (".ff_context.net.0.proj", ".context_block.mlp.fc1"),
    (".ff_context.net.2", ".context_block.mlp.fc2"),
)
FLUX: Rules = (
    ("time_text_embed.timestep_embedder.linear_1", "time_in.in_layer"),
    ("time_text_embed.timestep_embedder.linear_2", "time_in.out_layer"),
    ("time_text_embed.text_embedder.linear_1", "vector_in.in_layer"),
    ("time_text_embed.text_embedder.linear_2", "vector_in.out_layer"),
    ("time_text_embed.guidance_embedder.linear_1", "guidance_in.in_layer"),
    ("time_text_embed.guidance_embedder.linear_2", "guidance_in.out_layer"),
    ("context_embedder", "txt_in"),
    ("x_embedder", "img_in"),
    ("norm_out.linear", "final_layer.adaLN_modulation.1"),
    ("norm1.linear", "img_mod.lin"),
    ("norm1_context.linear", "txt_mod.lin"),
    ("attn.norm_added_q.weight", "txt_attn.norm.query_norm.scale"),
    ("attn.norm_added_k.weight", "txt_attn.norm.key_norm.scale"),
    ("attn.add_q_proj", "txt_attn.qkv"),
    ("attn.to_add_out", "txt_attn.proj"),
    ("attn.to_out.0", "img_attn.proj"),
    ("ff.net.0.proj", "img_mlp.0"),
    ("ff.net.2", "img_mlp.2"),
    ("ff_context.net.0.proj", "txt_mlp.0"),
    ("ff_context.net.2", "txt_mlp.2"),
)
FLUX_SINGLE: Rules = (
    ("single_transformer_blocks.", "single_blocks."),
    ("attn.norm_q.weight", "norm.query_norm.scale"),
    ("attn.norm_k.weight", "norm.key_norm.scale"),
    ("attn.to_q", "linear1"),
    ("norm.linear", "modulation.lin"),
    ("proj_out", "linear2"),
)
FLUX_DOUBLE: Rules = (
    ("transformer_blocks.", "double_blocks."),
    ("attn.norm_q.weight", "img_attn.norm.query_norm.scale"),
    ("attn.norm_k.weight", "img_attn.norm.key_norm.scale"),
    ("attn.to_q", "img_attn.qkv"),
)
SANA: Rules = (
    ("patch_embed.proj", "x_embedder.proj"),
    ("time_embed.emb.timestep_embedder.linear_1", "t_embedder.mlp.0"),
    ("time_embed.emb.timestep_embedder.linear_2", "t_embedder.mlp.2"),
    ("time_embed.linear", "t_block.1"),
    ("caption_projection.linear_", "y_embedder.y_proj.fc"),
    ("caption_norm", "attention_y_norm"),
    ("transformer_blocks.", "blocks."),
    ("attn1.to_q", "attn.qkv"),
    ("attn1.to_out.0", "attn.proj"),
    ("attn2.to_q", "cross_attn.q_linear"),
    ("attn2.to_k", "cross_attn.kv_linear"),
    ("attn2.to_out.0", "cross_attn.proj"),
    ("ff.conv_inverted", "mlp.inverted_conv.conv"),
    ("ff.conv_depth", "mlp.depth_conv.conv"),
    ("ff.conv_point", "mlp.point_conv.conv"),
)
PIXART: Rules = (
    ("pos_embed.proj", "x_embedder.proj"),
    ("adaln_single.emb.timestep_embedder.linear_1", "t_embedder.mlp.0"),
    ("adaln_single.emb.timestep_embedder.linear_2", "t_embedder.mlp.2"),
    ("adaln_single.linear", "t_block.1"),
    ("caption_projection.linear_", "y_embedder.y_proj.fc"),
    ("transformer_blocks.", "blocks."),
    ("attn1.to_q", "attn.qkv"),
    ("attn1.to_out.0", "attn.proj"),
    ("attn2.to_q", "cross_attn.q_linear"),
    ("attn2.to_k", "cross_attn.kv_linear"),
    ("attn2.to_out.0", "cross_attn.proj"),
    ("ff.net.0.proj", "mlp.fc1"),
    ("ff.net.2", "mlp.fc2"),
)
WAN: Rules = (
    ("condition_embedder.time_embedder.linear_1", "time_embedding.0"),
    ("condition_embedder.time_embedder.linear_2", "time_embedding.2"),
    ("condition_embedder.text_embedder.linear_1", "text_embedding.0"),
    ("condition_embedder.text_embedder.linear_2", "text_embedding.2"),
    ("condition_embedder.time_proj", "time_projection.1"),
    ("condition_embedder.image_embedder.norm1", "img_emb.proj.0"),
    ("condition_embedder.image_embedder.ff.net.0.proj", "img_emb.proj.1"),
    ("condition_embedder.image_embedder.ff.net.2", "img_emb.proj.3"),
    ("condition_embedder.image_embedder.norm2", "img_emb.proj.4"),
    ("norm2", "norm__3"),
    ("norm3", "norm2"),
    ("norm__3", "norm3"),
    ("attn1", "self_attn"),
    ("attn2", "cross_attn"),
    ("norm_added_k", "norm_k_img"),
    ("add_k_proj", "k_img"),
    ("add_v_proj", "v_img"),
    (".to_out.0", ".o"),
    (".to_", "."),
    ("ffn.net.0.proj", "ffn.0"),
    ("ffn.net.2", "ffn.2"),
)


def renamed(name: str, rules: Rules) -> str:
    """The name with each rule applied once, in order."""
    for old, new in rules:
        name = name.replace(old, new)
    return name


def unet(names: Iterable[str], config: Mapping[str, object]) -> Plan:
    """LDM names of a UNet2DConditionModel."""
    per_block = int(str(config["layers_per_block"])) + 1
    known = list(names)
    return {_unet_name(name, per_block, known): (name,) for name in known}


def _unet_name(name: str, per_block: int, known: Iterable[str]) -> str:
    found = re.fullmatch(
        r"(down|up|mid)_blocks?\.(?:(\d+)\.)?(resnets|attentions|\w+samplers)\.(\d+)\.(.*)", name
    )
    if found is None:
        return renamed(name, UNET_ENDS)
    side, block, kind, layer, rest = found.groups()
    if kind == "resnets":
        rest = renamed(rest, RESNET)
    if side == "mid":
        return f"middle_block.{2 * int(layer) + (kind == 'attentions')}.{rest}"
    place = int(block) * per_block + (per_block - 1 if "samplers" in kind else int(layer))
    if kind == "downsamplers":
        return f"input_blocks.{place + 1}.0.{rest.replace('conv', 'op')}"
    if kind == "upsamplers":
        beside = any(other.startswith(f"up_blocks.{block}.attentions") for other in known)
        return f"output_blocks.{place}.{1 + beside}.{rest}"
    level = int(kind == "attentions")
    return (
        f"input_blocks.{place + 1}.{level}.{rest}"
        if side == "down"
        else f"output_blocks.{place}.{level}.{rest}"
    )


def openclip(names: Iterable[str]) -> Plan:
    """OpenCLIP names of a CLIPTextModel, queries, keys and values fused."""
    return _fused(names, lambda n: renamed(n, OPENCLIP), {".q_proj.": (".k_proj.", ".v_proj.")})


def sd3(names: Iterable[str]) -> Plan:
    """Stability's names of an SD3Transformer2DModel."""
    follow = {
        ".add_q_proj.": (".add_k_proj.", ".add_v_proj."),
        ".to_q.": (".to_k.", ".to_v."),
    }
    ends = (("proj_out", "final_layer.linear"),)
    return _fused(names, lambda n: renamed(n, SD3 + ends), follow)


def flux(names: Iterable[str]) -> Plan:
    """Black Forest Labs' names of a FluxTransformer2DModel."""

    def rename(name: str) -> str:
        if name.startswith("single_"):
            return renamed(name, FLUX_SINGLE)
        ends = (("proj_out", "final_layer.linear"),) if name.startswith("proj_out") else ()
        return renamed(name, FLUX + FLUX_DOUBLE + ends)

    names = list(names)
    single = [name for name in names if name.startswith("single_")]
    double = [name for name in names if not name.startswith("single_")]
    add = {".add_q_proj.": (".add_k_proj.", ".add_v_proj."), ".to_q.": (".to_k.", ".to_v.")}
    one = {".attn.to_q.": (".attn.to_k.", ".attn.to_v.", ".proj_mlp.")}
    return _fused(double, rename, add) | _fused(single, rename, one)


def sana(names: Iterable[str]) -> Plan:
    """NVIDIA's names of a SanaTransformer2DModel."""
    return _blocks(names, SANA)


def pixart(names: Iterable[str]) -> Plan:
    """The original names of a PixArtTransformer2DModel."""
    return _blocks(names, PIXART)


def _blocks(names: Iterable[str], rules: Rules) -> Plan:
    follow = {".attn1.to_q.": (".attn1.to_k.", ".attn1.to_v."), ".attn2.to_k.": (".attn2.to_v.",)}

    def rename(name: str) -> str:
        if name == "scale_shift_table" or name.startswith("proj_out"):
            return "final_layer." + name.replace("proj_out", "linear")
        return renamed(name, rules)

    return _fused(names, rename, follow)


def wan(names: Iterable[str]) -> Plan:
    """The original names of a WanTransformer3DModel."""

    def rename(name: str) -> str:
        if name.startswith("proj_out"):
            return name.replace("proj_out", "head.head")
        if name == "scale_shift_table":
            return "head.modulation"
        return renamed(name, WAN).replace("scale_shift_table", "modulation")

    return {rename(name): (name,) for name in names}


def _fused(names: Iterable[str], rename, follow: Mapping[str, tuple[str, ...]]) -> Plan:
    """Plan with each leader's followers behind it in one tensor."""
    plan, known = {}, list(names)
    followers = {
        name.replace(lead, other): name
        for name in known
        for lead, others in follow.items()
        if lead in name
        for other in others
    }
    for name in known:
        if name not in followers:
            behind = tuple(other for other in followers if followers[other] == name)
            plan[rename(name)] = (name, *behind)
    return plan
