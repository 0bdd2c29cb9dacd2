"""Pooling and normalisation as the sentence-transformers files say."""

from typing import Any

import pytest

from encoderfile.builder.modules_json import Module
from encoderfile.builder.pooling_config import pooling
from encoderfile.errors import ModelError
from encoderfile.manifest import PoolingSpec
from support.refusals import one_sentence
from support.synthetic import folder

MEAN = {"pooling_mode_mean_tokens": True}


def modules(*kinds: str, **config: Any) -> tuple[Module, ...]:
    return tuple(Module(kind, f"{index}_{kind}", config or MEAN) for index, kind in enumerate(kinds))


def test_without_any_file_vectors_are_averaged_and_not_normalised() -> None:
    assert pooling(folder()) == PoolingSpec(("mean",), False)


@pytest.mark.parametrize(
    ("config", "modes"),
    [
        ({"pooling_mode_cls_token": True}, ("cls",)),
        ({"pooling_mode_max_tokens": True}, ("max",)),
        ({"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}, ("mean",)),
        ({"pooling_mode_mean_sqrt_len_tokens": True}, ("mean_sqrt_len_tokens",)),
        ({"pooling_mode_weightedmean_tokens": True}, ("weightedmean",)),
        ({"pooling_mode_lasttoken": True}, ("lasttoken",)),
        ({"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": True}, ("cls", "mean")),
        ({"pooling_mode": "lasttoken"}, ("lasttoken",)),
        ({"pooling_mode": ["mean", "max"]}, ("mean", "max")),
        ({"pooling_mode": "cls", "pooling_mode_mean_tokens": True}, ("cls",)),
        ({"pooling_mode_mean_tokens": False}, ("mean",)),
    ],
    ids=repr,
)
def test_the_mode_is_read_in_both_of_its_forms(config: dict[str, Any], modes: tuple[str, ...]) -> None:
    assert pooling(folder(pooling=config)).modes == modes
    assert pooling(folder(modules=modules("Transformer", "Pooling", **config))).modes == modes


@pytest.mark.parametrize(
    ("kinds", "normalize"),
    [
        (("Transformer", "Pooling"), False),
        (("Transformer", "Pooling", "Normalize"), True),
        (("Transformer", "Pooling", "Dropout", "Normalize", "Dropout"), True),
        (("Transformer", "Normalize", "Pooling"), False),
        (("Transformer", "Pooling", "Normalize", "Pooling"), False),
    ],
)
def test_a_normalize_module_normalises_what_is_pooled_before_it(kinds: tuple[str, ...], normalize: bool) -> None:
    assert pooling(folder(modules=modules(*kinds))).normalize is normalize


@pytest.mark.parametrize("kind", ["CNN", "LSTM", "WordWeights", "WeightedLayerPooling"])
def test_a_module_outside_the_graph_is_refused(kind: str) -> None:
    with pytest.raises(ModelError) as refusal:
        pooling(folder(modules=modules("Transformer", "Pooling", kind)))
    assert one_sentence(refusal.value) == (
        f"modules.json has a {kind} module, which is not part of the graph: export with "
        "`--library-name sentence_transformers`, which puts every module into the graph"
    )


def test_pooling_without_its_file_is_refused() -> None:
    with pytest.raises(ModelError) as refusal:
        pooling(folder(modules=(Module("Transformer"), Module("Pooling", "1_Pooling"))))
    assert one_sentence(refusal.value) == (
        "modules.json names 1_Pooling, whose config.json is missing: copy it from the original model"
    )


def test_an_unknown_mode_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ModelError) as refusal:
        pooling(folder(pooling={"pooling_mode": "attention"}))
    assert one_sentence(refusal.value) == (
        "the pooling mode attention is not supported: only "
        "cls, max, mean, mean_sqrt_len_tokens, weightedmean, lasttoken are"
    )
