"""How much memory attention over a long text takes, from config.json and the operators of the graph."""

from __future__ import annotations

from encoderfile.builder.folder import ModelFolder
from encoderfile.builder.onnx_graph import OnnxGraph
from encoderfile.builder.trial_runs import LONGEST_TRIAL

_HEADS = ("num_attention_heads", "n_heads", "n_head", "num_heads")
_FUSED = frozenset({"Attention", "GroupQueryAttention", "MultiHeadAttention", "PackedMultiHeadAttention"})
"""Operators that hold all of attention, and may not keep the scores of all pairs of tokens."""


def attention_bytes(folder: ModelFolder, graph: OnnxGraph) -> int:
    """Bytes for each pair of tokens, in float32: scores and their softmax of each head, and the mask.

    0 where attention is a fused operator, and where config.json does not say how many heads there are.
    """
    heads = next((folder.config[key] for key in _HEADS if isinstance(folder.config.get(key), int)), 0)
    return 0 if graph.op_types & _FUSED or not heads else 4 * (2 * heads + 1)


def long_text_notes(limit: int, bytes_per_pair: int) -> tuple[str, ...]:
    """What a user should know of a limit that is too long to be tried."""
    if limit <= LONGEST_TRIAL:
        return ()
    tried = f"tried with up to {LONGEST_TRIAL} of {limit} tokens"
    if not bytes_per_pair:
        return (tried,)
    needed = bytes_per_pair * limit * limit / 1e9
    return (f"{tried}; attention over a text of that length takes up to {needed:.1f} GB, --max-length lowers it",)
