"""`import encoderfile`: the names of encoderfile 0.7's package, their arguments, and how little they cost."""

import inspect
import subprocess
import sys
from enum import StrEnum

import pytest

import encoderfile
from encoderfile.tasks import TASKS

SIGNATURES = {
    "EncoderfileBuilder": {
        "name": inspect.Parameter.empty,
        "model_type": inspect.Parameter.empty,
        "path": inspect.Parameter.empty,
        "version": None,
        "output_path": None,
        "cache_dir": None,
        "base_binary_path": None,
        "transform": None,
        "lua_libs": None,
        "tokenizer": None,
        "validate_transform": True,
        "target": None,
    },
    "build": {
        "name": inspect.Parameter.empty,
        "model_type": inspect.Parameter.empty,
        "path": inspect.Parameter.empty,
        "version": None,
        "output_path": None,
        "cache_dir": None,
        "base_binary_path": None,
        "transform_str": None,
        "transform_path": None,
        "lua_libs": None,
        "tokenizer_pad_to": None,
        "tokenizer_truncation_side": None,
        "tokenizer_truncation_strategy": None,
        "tokenizer_max_length": None,
        "tokenizer_stride": None,
        "validate_transform": True,
        "target": None,
        "workdir": None,
        "no_download": False,
    },
    "build_from_config": {"config_path": inspect.Parameter.empty, "workdir": None, "no_download": False},
    "TokenizerBuildConfig": {
        "pad_strategy": None,
        "truncation_side": None,
        "truncation_strategy": None,
        "max_length": None,
        "stride": None,
    },
    "BatchLongest": {},
    "Fixed": {"n": inspect.Parameter.empty},
    "TargetSpec": {"spec": inspect.Parameter.empty},
    "read_metadata": {"path": inspect.Parameter.empty},
}
POSITIONAL = {"build_from_config", "TargetSpec", "read_metadata"}


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_name_takes_the_arguments_of_its_page(name: str) -> None:
    found = inspect.signature(getattr(encoderfile, name)).parameters
    assert {each.name: each.default for each in found.values()} == SIGNATURES[name]
    kinds = {each.kind for each in found.values()}
    usual = inspect.Parameter.POSITIONAL_OR_KEYWORD if name in POSITIONAL else inspect.Parameter.KEYWORD_ONLY
    assert kinds <= {usual}


def test_a_builder_takes_where_and_how_to_build() -> None:
    found = inspect.signature(encoderfile.EncoderfileBuilder.build).parameters
    assert {name: each.default for name, each in found.items() if name != "self"} == {
        "workdir": None,
        "version": None,
        "no_download": False,
    }
    assert list(inspect.signature(encoderfile.EncoderfileBuilder.from_config).parameters) == ["config_path"]


@pytest.mark.parametrize("name", sorted({*encoderfile.__all__} - {"__version__"}))
def test_every_name_is_there_and_says_what_it_is(name: str) -> None:
    found = getattr(encoderfile, name)
    assert name in dir(encoderfile)
    assert found.__name__ == name
    assert found.__doc__


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'encoderfile' has no attribute 'Encoderfile'"):
        getattr(encoderfile, "Encoderfile")  # noqa: B009 - a type checker knows that it is not there


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (
            encoderfile.ModelType,
            {
                "Embedding": "embedding",
                "SentenceEmbedding": "sentence_embedding",
                "SequenceClassification": "sequence_classification",
                "TokenClassification": "token_classification",
            },
        ),
        (encoderfile.TokenizerTruncationSide, {"Left": "left", "Right": "right"}),
        (
            encoderfile.TokenizerTruncationStrategy,
            {"LongestFirst": "longest_first", "OnlyFirst": "only_first", "OnlySecond": "only_second"},
        ),
    ],
    ids=["ModelType", "TokenizerTruncationSide", "TokenizerTruncationStrategy"],
)
def test_the_members_of_an_enumeration_are_strings(kind: type[StrEnum], values: dict[str, str]) -> None:
    assert values.items() <= {each.name: str(each) for each in kind}.items()
    assert all(isinstance(each, str) for each in kind)


def test_every_model_type_is_a_member() -> None:
    assert set(encoderfile.ModelType) == TASKS.keys()


LIBRARIES = {"click", "google", "grpc", "msgspec", "numpy", "onnxruntime", "starlette", "tokenizers", "yaml"}


@pytest.mark.parametrize(
    "program",
    [
        "import encoderfile",
        "from encoderfile import *",
        "from encoderfile import ModelType, TargetSpec, TokenizerBuildConfig, read_metadata",
    ],
)
def test_an_import_loads_no_library(program: str) -> None:
    program += "; import sys; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not LIBRARIES & set(done.stdout.split())


def test_the_package_alone_imports_nothing_of_itself() -> None:
    program = "import encoderfile, sys; print(*(name for name in sys.modules if name.startswith('encoderfile.')))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_the_module_runs_as_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "encoderfile", "version"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, f"encoderfile {encoderfile.__version__}\n")
