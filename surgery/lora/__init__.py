"""Patches as LoRA files: exact factors, each loader's names, and a check of what was stored."""
