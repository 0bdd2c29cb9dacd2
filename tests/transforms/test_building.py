"""Which scripts become part of a file: those that keep what is promised of its answers."""

import re
from pathlib import Path
from typing import Any

import pytest

from encoderfile.builder.check import Checked, check
from encoderfile.builder.config import BuildConfig
from encoderfile.builder.transform_source import skeleton
from encoderfile.tasks import TASKS
from support.kinds import KINDS
from support.models import MODELS
from support.refusals import refusal
from support.scripts_in_lua import IDENTITY, POOLED, SOFTMAX, SOFTMAX_OF_TOKENS, UNIT_TOKENS, postprocess

OF_TYPE = {
    "embedding": ("bert-embed", UNIT_TOKENS),
    "sentence_embedding": ("bert-st", POOLED),
    "sequence_classification": ("bert-cls", SOFTMAX),
    "token_classification": ("bert-tok", SOFTMAX_OF_TOKENS),
}
each_type = pytest.mark.parametrize("model_type", OF_TYPE)


def built(model_type: str, script: str, **config: Any) -> Checked:
    folder = MODELS / OF_TYPE[model_type][0]
    return check(BuildConfig(path=folder, model_type=model_type, transform=script, **config))


def refused(model_type: str, script: str, **config: Any) -> str:
    return refusal(MODELS / OF_TYPE[model_type][0], model_type=model_type, transform=script, **config)


@each_type
def test_the_scripts_of_encoderfile_0_7_are_taken(model_type: str) -> None:
    found = built(model_type, OF_TYPE[model_type][1])
    assert found.manifest.lua_libs == ("math", "string", "table")
    assert found.transform is not None
    assert found.transform.source == OF_TYPE[model_type][1]
    assert ("transform", "in Lua, with the libraries math, string, table") in found.rows()


@pytest.mark.parametrize("model_type", [name for name, task in TASKS.items() if task.transform is not None])
def test_the_skeleton_of_each_type_builds_as_it_stands(model_type: str) -> None:
    axes = TASKS[model_type].transform
    assert axes is not None
    written = skeleton(axes)
    built(model_type, written)
    (suggested,) = [line.split("--")[1].strip() for line in written.splitlines() if line.startswith("  -- return")]
    built(model_type, written.replace("  return", f"  if true then {suggested} end\n  return"))


def test_every_type_that_has_transforms_is_tried_here() -> None:
    assert set(OF_TYPE) == {name for name, task in TASKS.items() if task.transform is not None}


def test_the_libraries_are_those_that_were_named() -> None:
    found = built("embedding", postprocess("return t * utf8.len('ab')"), lua_libs=("utf8",))
    assert found.manifest.lua_libs == ("utf8",)
    assert found.manifest.transform_in_words == "in Lua, with the libraries utf8"
    assert built("embedding", IDENTITY, lua_libs=()).manifest.transform_in_words == "in Lua, without libraries"
    assert "a nil value (global 'math')" in refused(
        "embedding", postprocess("return t * math.pi"), lua_libs=("utf8",)
    )


def test_libraries_without_a_script_are_pointed_out() -> None:
    found = check(BuildConfig(path=MODELS / "bert-cls", lua_libs=("math",)))
    assert "lua_libs does nothing without a transform" in found.notes
    assert found.manifest.lua_libs is None


def test_what_a_script_prints_is_shown() -> None:
    found = built("sequence_classification", postprocess("print('axes', t:ndim()) return t"))
    shown = [note for note in found.notes if note.startswith("the transform prints")]
    assert set(shown) == {"the transform prints: axes\t2"}
    assert len(shown) == 10


SHAPES = {
    "embedding": [
        ("return t:sum_axis(2)", "[batch 40, tokens 12, size], and returned one of [40, 48]"),
        ("return t:truncate_axis(2, 3)", "[batch 40, tokens 12, size], and returned one of [40, 3, 48]"),
        ("return t:truncate_axis(3, 0)", "[batch 40, tokens 12, size], and returned one of [40, 12, 0]"),
        ("return t:transpose()", "[batch 40, tokens 12, size], and returned one of [40, 48, 12]"),
    ],
    "sentence_embedding": [
        ("return t", "[batch 40, size], and returned one of [40, 12, 48]"),
        ("return t:mean_pool(u):sum_axis(1)", "[batch 40, size], and returned one of [48]"),
    ],
    "sequence_classification": [("return t:sum_axis(2)", "[batch 40, labels 3], and returned one of [40]")],
    "token_classification": [
        ("return t:truncate_axis(3, 2)", "[batch 40, tokens 12, labels 7], and returned one of [40, 12, 2]")
    ],
}


@pytest.mark.parametrize(
    ("model_type", "body", "said"),
    [(name, *case) for name, cases in SHAPES.items() for case in cases],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_script_that_gives_another_shape_is_refused(model_type: str, body: str, said: str) -> None:
    found = refused(model_type, postprocess(body))
    assert found == f"the transform fails: Postprocess should return a Tensor {said}"


@pytest.mark.parametrize(
    ("model_type", "body"),
    [
        ("embedding", "return t - t:sum_axis(1)"),
        ("embedding", "return t / t:max()"),
        ("embedding", "return t:softmax(1)"),
        ("sentence_embedding", "local p = t:mean_pool(u) return p - p:sum_axis(1) * 0.01"),
        ("sequence_classification", "return t:layer_norm(1, 1e-5)"),
        ("sequence_classification", "return t * #t"),
        ("token_classification", "return t - t:mean()"),
    ],
)
def test_a_script_that_mixes_the_texts_of_a_batch_is_refused(model_type: str, body: str) -> None:
    assert refused(model_type, postprocess(body)) == (
        "the transform's answer for a text changes with the other texts of its batch: "
        "no operation may go along axis 1 or the whole tensor"
    )


def test_a_script_that_treats_one_place_of_a_batch_in_its_own_way_is_refused() -> None:
    first = "local n = 0 return t:map_axis(1, function(row) n = n + 1 return n < 40 and row or row * 2 end)"
    assert "changes with" in refused("sequence_classification", postprocess(first))


@pytest.mark.parametrize(
    ("model_type", "body", "advice"),
    [
        ("embedding", "return t:softmax(2)", "no operation may go along axis 2, the tokens"),
        ("token_classification", "return t:lp_normalize(2, 2)", "no operation may go along axis 2, the tokens"),
        ("sentence_embedding", "return t:sum_axis(2)", "use the mask"),
    ],
)
def test_a_script_that_reads_padding_is_refused(model_type: str, body: str, advice: str) -> None:
    said = refused(model_type, postprocess(body))
    assert said == f"the transform's answer for a text changes with the padding of its batch: {advice}"


def test_a_script_that_was_not_tried_is_still_measured_with_the_model() -> None:
    said = refused("sentence_embedding", postprocess("return t:sum_axis(2)"), validate_transform=False)
    assert said.endswith("and without the transform they do not: use its mask, and let it combine no two texts")
    built("sentence_embedding", POOLED, validate_transform=False)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("x = (", "transform:1: unexpected symbol near <eof>"),
        ("x = 1", "it defines no function Postprocess"),
        (
            postprocess("return t:softmax(9)"),
            "there is no axis 9 in a tensor of the shape [40, 3]: axes count from 1",
        ),
        (postprocess("while true do end"), "it runs for too many instructions"),
    ],
)
@pytest.mark.parametrize("validate", [True, False])
def test_a_script_that_fails_is_refused_whether_it_is_tried_or_not(script: str, said: str, validate: bool) -> None:
    found = refused("sequence_classification", script, validate_transform=validate)
    assert found.startswith(f"the transform fails: {said.partition(' of the shape')[0]}")


def test_numbers_that_are_none_are_refused() -> None:
    assert "not finite" in refused("sequence_classification", postprocess("return t * 0 / 0"))


OTHERS: dict[str, tuple[Path, dict[str, Any]]] = {
    "BGE-M3": (KINDS["bge-m3"], {}),
    "ColBERT": (KINDS["colbert"], {}),
    "SPLADE": (MODELS / "bert-mlm", {"model_type": "sentence_embedding", "output": "logits"}),
    "GLiNER": (KINDS["gliner-span"], {}),
    "GLiClass": (KINDS["gliclass"], {}),
}


@pytest.mark.parametrize(("folder", "config"), OTHERS.values(), ids=OTHERS)
def test_models_that_take_no_transform_say_so(folder: Path, config: dict[str, Any]) -> None:
    said = refusal(folder, transform=IDENTITY, **config)
    assert re.fullmatch(
        r"a zero_shot_\w+ model takes no transform: leave it out|"
        r"this model makes its answers in a way of its own.*: leave the transform out",
        said,
    )


def test_a_vector_that_is_pooled_in_the_graph_is_no_tensor_for_a_transform() -> None:
    assert built("sentence_embedding", POOLED).manifest.graph.output == "token_embeddings"
    assert refused("sentence_embedding", POOLED, output="sentence_embedding") == (
        "a transform takes [batch, tokens, hidden], and sentence_embedding has 2 axes: choose another output with "
        "--output"
    )


def test_the_model_has_the_width_of_what_the_script_gives() -> None:
    assert built("embedding", postprocess("return t:truncate_axis(3, 5)")).manifest.width == 5
    assert built("sentence_embedding", postprocess("return t:mean_pool(u):truncate_axis(2, 7)")).manifest.width == 7


def test_what_the_models_files_say_of_later_steps_is_left_out() -> None:
    manifest = built("sentence_embedding", POOLED).manifest
    assert manifest.pooling is not None
    assert (manifest.pooling.modes, manifest.pooling.normalize, manifest.pooling.layers) == ((), False, ())
    assert not manifest.matryoshka
    assert built("sequence_classification", SOFTMAX).manifest.relevance == "identity"
