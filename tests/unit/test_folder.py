"""Finding the files of an export, and saying which one is missing or unreadable."""

import shutil
from pathlib import Path

import pytest

from encoderfile.builder.folder import ModelFolder, open_folder
from encoderfile.errors import ModelError
from support.graphs import copy, edit_json
from support.refusals import one_sentence

LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:4665f\nsize 452341\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copy("mpnet-embed", tmp_path / "model")


def refusal(path: Path, onnx: Path | None = None, explicit: dict[str, Path] | None = None) -> str:
    with pytest.raises(ModelError) as refused:
        open_folder(path, onnx, explicit)
    return one_sentence(refused.value)


def test_everything_an_export_has_is_read(folder: Path) -> None:
    found = open_folder(folder)
    assert found.onnx == folder / "model.onnx"
    assert found.architecture == "MPNetModel"
    assert found.tokenizer_config["model_max_length"] == 64
    assert found.pooling["pooling_mode_mean_tokens"] is True
    assert found.sentence_bert["max_seq_length"] == 64
    assert [module.kind for module in found.modules] == ["Transformer", "Pooling", "Normalize"]
    assert found.tokenizer_json["model"]["type"] == "WordPiece"
    assert sorted(found.files) == [
        "1_Pooling/config.json",
        "config.json",
        "config_sentence_transformers.json",
        "modules.json",
        "sentence_bert_config.json",
        "special_tokens_map.json",
        "tokenizer.json",
        "tokenizer_config.json",
    ]
    assert all(content == (folder / name).read_bytes() for name, content in found.files.items())


def test_three_files_are_enough(tmp_path: Path) -> None:
    folder = copy("bert-cls", tmp_path / "model")
    for path in folder.iterdir():
        if path.name not in ("config.json", "tokenizer.json", "model.onnx"):
            path.unlink()
    found = open_folder(folder)
    assert (found.modules, found.pooling, found.sentence_bert) == ((), {}, {})


def test_the_folder_of_a_hub_keeps_its_graph_in_onnx(folder: Path) -> None:
    (folder / "onnx").mkdir()
    (folder / "model.onnx").rename(folder / "onnx" / "model.onnx")
    (folder / "onnx" / "model_quantized.onnx").touch()
    assert open_folder(folder).onnx == folder / "onnx" / "model.onnx"


@pytest.mark.parametrize("name", ["model_quantized.onnx", "model_optimized.onnx", "onnx/model_fp16.onnx"])
def test_a_graph_alone_may_have_any_name(folder: Path, name: str) -> None:
    (folder / "onnx").mkdir()
    (folder / "model.onnx").rename(folder / name)
    assert open_folder(folder).onnx == folder / name


@pytest.fixture
def several(folder: Path) -> Path:
    (folder / "onnx").mkdir()
    (folder / "onnx" / "model_fp16.onnx").write_bytes((folder / "model.onnx").read_bytes())
    (folder / "model.onnx").rename(folder / "model_quantized.onnx")
    return folder


def test_several_graphs_are_listed(several: Path) -> None:
    assert refusal(several) == (
        f"{several} has several ONNX files (model_quantized.onnx, onnx/model_fp16.onnx): choose one with --onnx FILE"
    )


@pytest.mark.parametrize("name", ["model_quantized.onnx", "onnx/model_fp16.onnx"])
def test_a_graph_is_chosen_by_the_name_that_the_list_gives_it(several: Path, name: str) -> None:
    assert open_folder(several, onnx=Path(name)).onnx == several / name


def test_a_graph_is_chosen_by_its_path(several: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert open_folder(several, onnx=several / "model_quantized.onnx").onnx == several / "model_quantized.onnx"
    monkeypatch.chdir(several.parent)
    assert open_folder(several, onnx=Path("model/model_quantized.onnx")).onnx.samefile(
        several / "model_quantized.onnx"
    )


def test_a_chosen_graph_that_is_not_there_is_named(folder: Path) -> None:
    assert refusal(folder, onnx=Path("model_int4.onnx")) == (
        "model_int4.onnx does not exist, here or in the model's folder: give the ONNX file with --onnx"
    )


def test_weights_without_a_graph_get_the_command_that_exports_them(folder: Path) -> None:
    (folder / "model.onnx").unlink()
    (folder / "model.safetensors").touch()
    assert refusal(folder) == (
        f"{folder} has no model.onnx: export it with `optimum-cli export onnx --model {folder} {folder}-onnx`, "
        f"then `encoderfile build {folder}-onnx`"
    )


def test_a_folder_without_graph_and_weights_gets_the_model_that_its_config_names(folder: Path) -> None:
    (folder / "model.onnx").unlink()
    edit_json(folder, "config.json", _name_or_path="org/name")
    assert refusal(folder) == (
        f"{folder} has no model.onnx: export it with `optimum-cli export onnx --model org/name {folder}`, "
        f"then `encoderfile build {folder}`"
    )


def test_a_path_with_spaces_is_quoted_in_commands(tmp_path: Path) -> None:
    folder = copy("bert-cls", tmp_path / "my model")
    (folder / "model.onnx").unlink()
    (folder / "pytorch_model.bin").touch()
    assert f"--model '{folder}' '{folder}-onnx'`" in refusal(folder)


@pytest.mark.parametrize(
    "given",
    [
        "BAAI/bge-small-en-v1.5",
        "https://huggingface.co/BAAI/bge-small-en-v1.5",
        "http://hf.co/BAAI/bge-small-en-v1.5/",
    ],
)
def test_a_name_of_the_hub_gets_the_two_commands_that_make_a_file_of_it(given: str) -> None:
    assert refusal(Path(given)).endswith(
        ": if this is a model on the Hugging Face hub, export it with "
        "`optimum-cli export onnx --model BAAI/bge-small-en-v1.5 ./bge-small-en-v1.5`, "
        "then `encoderfile build ./bge-small-en-v1.5`"
    )


def test_a_path_into_a_folder_that_is_here_is_not_a_name_of_the_hub(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    assert refusal(Path("model/absent")) == (
        "model/absent does not exist: give the folder that `optimum-cli export onnx` wrote"
    )


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path / "absent") == (
        f"{tmp_path / 'absent'} does not exist: give the folder that `optimum-cli export onnx` wrote"
    )


def test_a_file_is_not_a_folder(folder: Path) -> None:
    assert refusal(folder / "model.onnx") == (
        f"{folder / 'model.onnx'} is a file, not a folder: give the folder that `optimum-cli export onnx` wrote"
    )


def test_a_missing_config_is_named(folder: Path) -> None:
    (folder / "config.json").unlink()
    assert f"{folder} has no config.json: copy it from the original model" in refusal(folder)


def test_a_missing_tokenizer_says_how_to_write_one(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    text = refusal(folder)
    assert text.startswith(f"{folder} has no tokenizer.json: write it with `AutoTokenizer")


@pytest.mark.parametrize("slow", ["vocab.txt", "vocab.json", "sentencepiece.bpe.model", "spiece.model"])
def test_the_slow_form_of_a_tokenizer_is_recognised(folder: Path, slow: str) -> None:
    (folder / "tokenizer.json").unlink()
    (folder / slow).touch()
    assert f"has no tokenizer.json (only {slow}, the slow form): write it with `AutoTokenizer" in refusal(folder)


JSON_FILES = [
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "modules.json",
    "1_Pooling/config.json",
    "sentence_bert_config.json",
]


@pytest.mark.parametrize("name", JSON_FILES)
@pytest.mark.parametrize("content", [b'{"a": 1,}', b'{"a": ', b"", b"\xff\xfe\x00\x01{"], ids=range(4))
def test_invalid_json_is_refused_with_the_files_name(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    text = refusal(folder)
    assert text.startswith(f"{name} is not valid JSON (")
    assert text.endswith("): correct it or export the model again")


@pytest.mark.parametrize("name", JSON_FILES)
def test_json_of_the_wrong_shape_is_refused_with_the_files_name(folder: Path, name: str) -> None:
    (folder / name).write_text("3")
    wanted = "a list" if name == "modules.json" else "an object"
    assert refusal(folder) == f"{name} should hold {wanted}: export the model again"


def test_modules_that_are_not_objects_are_refused(folder: Path) -> None:
    (folder / "modules.json").write_text('["Transformer"]')
    assert refusal(folder) == "modules.json should hold a list of objects: export the model again"


@pytest.mark.parametrize("name", JSON_FILES)
def test_a_pointer_of_git_lfs_is_told_from_json(folder: Path, name: str) -> None:
    (folder / name).write_text(LFS)
    assert refusal(folder) == (
        f"{Path(name).name} is a Git LFS pointer, not the file itself: run `git lfs pull` in the folder it came from"
    )


def test_json_may_begin_with_a_byte_order_mark(folder: Path) -> None:
    (folder / "config.json").write_bytes(b"\xef\xbb\xbf" + (folder / "config.json").read_bytes())
    assert open_folder(folder).architecture == "MPNetModel"


def test_the_pooling_folder_is_the_one_that_modules_json_names(folder: Path) -> None:
    (folder / "1_Pooling").rename(folder / "2_Pooling")
    modules = (folder / "modules.json").read_text().replace("1_Pooling", "2_Pooling")
    (folder / "modules.json").write_text(modules)
    edit_json(folder, "2_Pooling/config.json", pooling_mode_cls_token=True, pooling_mode_mean_tokens=False)
    found = open_folder(folder)
    assert found.pooling["pooling_mode_cls_token"] is True
    assert "2_Pooling/config.json" in found.files


def of_a_hub(folder: Path, *moved: str) -> Path:
    """The graph and copies of `moved` in `onnx/`, the model's other files above it."""
    inner = folder / "onnx"
    inner.mkdir()
    (folder / "model.onnx").rename(inner / "model.onnx")
    for name in moved:
        (inner / name).write_bytes((folder / name).read_bytes())
    return inner


@pytest.mark.parametrize("moved", [(), ("config.json", "tokenizer.json", "tokenizer_config.json")], ids=len)
def test_a_hubs_onnx_folder_given_alone_finds_the_files_above_it(folder: Path, moved: tuple[str, ...]) -> None:
    found = open_folder(of_a_hub(folder, *moved))
    assert found.onnx == folder / "onnx" / "model.onnx"
    assert [module.kind for module in found.modules] == ["Transformer", "Pooling", "Normalize"]
    assert found.pooling["pooling_mode_mean_tokens"] is True
    assert found.sentence_bert["max_seq_length"] == 64
    assert found.notes == (
        f"files that are missing in {folder / 'onnx'} are read from {folder.resolve()}, the model it belongs to",
    )


def test_a_folder_of_another_name_is_read_alone(folder: Path) -> None:
    inner = of_a_hub(folder, "config.json", "tokenizer.json").rename(folder / "export")
    found = open_folder(inner)
    assert found.modules == ()
    assert found.notes == (
        f"{folder} has modules.json, sentence_bert_config.json, config_sentence_transformers.json, "
        f"1_Pooling/config.json, which are not read for {inner}: if they belong to this model, build {folder} with "
        f"--onnx {inner / 'model.onnx'}",
    )


def test_an_onnx_folder_alone_is_pooled_as_the_model_above_it_without_modules_too(folder: Path) -> None:
    (folder / "modules.json").unlink()
    edit_json(folder, "1_Pooling/config.json", pooling_mode_cls_token=True, pooling_mode_mean_tokens=False)
    inner = of_a_hub(folder, "config.json", "tokenizer.json")
    assert open_folder(inner).pooling == open_folder(folder).pooling != {}


def test_an_onnx_folder_that_is_whole_takes_nothing_from_a_stranger_above_it(folder: Path) -> None:
    inner = of_a_hub(folder, "config.json", "tokenizer.json")
    (folder / "modules.json").unlink()
    (folder / "config_sentence_transformers.json").unlink()
    shutil.rmtree(folder / "1_Pooling")
    (note,) = open_folder(inner).notes
    assert open_folder(inner).sentence_bert == {}
    assert note.startswith(f"{folder} has sentence_bert_config.json, which is not read for {inner}: if it belongs ")
    (folder / "sentence_bert_config.json").unlink()
    assert open_folder(inner).notes == ()


def test_a_modules_own_files_are_kept_with_the_others(folder: Path) -> None:
    edit_json(folder, "2_Normalize/config.json", a=1)
    found = open_folder(folder)
    assert found.modules[2].config == {"a": 1}
    assert "2_Normalize/config.json" in found.files


def test_files_may_lie_anywhere_when_they_are_named_one_by_one(folder: Path, tmp_path: Path) -> None:
    (folder / "tokenizer.json").rename(tmp_path / "words.json")
    found = open_folder(folder, explicit={"tokenizer.json": tmp_path / "words.json"})
    assert found.files["tokenizer.json"] == (tmp_path / "words.json").read_bytes()


def test_a_named_file_that_is_not_there_is_not_replaced_in_silence(folder: Path, tmp_path: Path) -> None:
    assert refusal(folder, explicit={"tokenizer.json": tmp_path / "absent.json"}) == (
        f"{tmp_path / 'absent.json'} does not exist: correct the path of tokenizer.json"
    )


@pytest.mark.parametrize(
    ("architectures", "name"),
    [(["BertModel", "Other"], "BertModel"), ([], ""), (None, ""), ("BertModel", "BertModel")],
)
def test_the_architecture_is_the_first_one_named(folder: Path, architectures: object, name: str) -> None:
    edit_json(folder, "config.json", architectures=architectures)
    found: ModelFolder = open_folder(folder)
    assert found.architecture == name
