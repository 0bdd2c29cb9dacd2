"""The modules that a text goes through: modules.json, and the routes of a Router."""

from collections.abc import Mapping
from typing import Any

import pytest

from encoderfile.builder.modules_json import Module, Modules, read_modules_json
from encoderfile.errors import ModelError
from support.refusals import one_sentence

ROUTER = [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Router"}]
STATIC = "sentence_transformers.sparse_encoder.models.SparseStaticEmbedding.SparseStaticEmbedding"
TYPES = {
    "query_0_SparseStaticEmbedding": STATIC,
    "document_0_MLMTransformer": "sentence_transformers.sparse_encoder.models.MLMTransformer.MLMTransformer",
    "document_1_SpladePooling": "sentence_transformers.sparse_encoder.models.SpladePooling.SpladePooling",
}
STRUCTURE = {
    "query": ["query_0_SparseStaticEmbedding"],
    "document": ["document_0_MLMTransformer", "document_1_SpladePooling"],
}


def read(listed: list[Any], files: Mapping[str, dict[str, Any]] | None = None) -> Modules:
    return read_modules_json(listed, lambda name: (files or {}).get(name, {}))


def routed(structure: dict[str, Any] = STRUCTURE, types: dict[str, str] = TYPES, **parameters: Any) -> Modules:
    return read(ROUTER, {"router_config.json": {"types": types, "structure": structure, "parameters": parameters}})


def kinds(modules: Modules) -> list[str]:
    return [module.kind for module in modules.default]


def test_a_plain_list_is_one_route_with_the_files_of_its_modules() -> None:
    listed = [
        {"path": "", "type": "sentence_transformers.models.Transformer"},
        {"path": "1_Pooling", "type": "sentence_transformers.sentence_transformer.modules.pooling.Pooling"},
        {"path": "2_Dense", "type": "sentence_transformers.models.Dense"},
    ]
    files = {"config.json": {"hidden_size": 8}, "1_Pooling/config.json": {"pooling_mode": "cls"}}
    assert read(listed, files) == Modules(
        (Module("Transformer"), Module("Pooling", "1_Pooling", {"pooling_mode": "cls"}), Module("Dense", "2_Dense"))
    )


def test_a_text_without_a_purpose_takes_the_default_route() -> None:
    found = routed(default_route="document")
    assert kinds(found) == ["MLMTransformer", "SpladePooling"]
    assert [module.path for module in found.default] == STRUCTURE["document"]
    assert found.other_routes == ("query",)


def test_without_a_default_route_it_takes_the_first() -> None:
    assert kinds(routed()) == ["SparseStaticEmbedding"]
    assert routed().other_routes == ("document",)


def test_without_any_it_is_refused() -> None:
    with pytest.raises(ModelError) as refused:
        routed(allow_empty_key=False)
    assert one_sentence(refused.value) == (
        "the Router of modules.json has no route for a text without a purpose (its routes: query, document): "
        "set default_route in router_config.json"
    )


@pytest.mark.parametrize(
    ("mappings", "others"),
    [
        ({"(None, 'text')": "document"}, ("query",)),
        ({"(None, None)": "document", "('query', 'text')": "document"}, ()),
        ({"('query', None)": "document", "(None, ('image', 'text'))": "query"}, ()),
        ({"not a pair": "query"}, ("query",)),
    ],
)
def test_mappings_of_purposes_and_modalities_go_first(mappings: dict[str, str], others: tuple[str, ...]) -> None:
    found = routed(default_route="document", route_mappings=mappings)
    assert kinds(found) == ["MLMTransformer", "SpladePooling"]
    assert found.other_routes == others


def test_a_route_for_texts_is_the_route_of_texts() -> None:
    structure = {"image": ["query_0_SparseStaticEmbedding"], "text": STRUCTURE["document"]}
    assert kinds(routed(structure, default_route="image")) == ["MLMTransformer", "SpladePooling"]


def test_routes_of_the_same_modules_are_one_route() -> None:
    same = dict.fromkeys(("query", "document"), STRUCTURE["document"])
    assert routed(same, default_route="document").other_routes == ()


def test_a_module_of_a_router_may_be_the_models_own_folder() -> None:
    """As the public sparse encoders have it: the transformer's name is empty."""
    types = {
        "": "x.MLMTransformer",
        "query_0_SparseStaticEmbedding": STATIC,
        "document_1_SpladePooling": "x.SpladePooling",
    }
    structure = {"document": ["", "document_1_SpladePooling"], "query": ["query_0_SparseStaticEmbedding"]}
    assert [(each.kind, each.path) for each in routed(structure, types, default_route="document").default] == [
        ("MLMTransformer", ""),
        ("SpladePooling", "document_1_SpladePooling"),
    ]


def test_an_older_router_keeps_its_routes_in_config_json_of_its_folder() -> None:
    config = {"types": {"q": "x.Transformer"}, "structure": {"query": ["q"]}, "parameters": {}}
    listed = [
        {"path": "0_Asym", "type": "sentence_transformers.models.Asym"},
        {"path": "1_Normalize", "type": "x.Normalize"},
    ]
    found = read(listed, {"0_Asym/config.json": config})
    assert [(each.kind, each.path) for each in found.default] == [
        ("Transformer", "0_Asym/q"),
        ("Normalize", "1_Normalize"),
    ]


@pytest.mark.parametrize(
    "files", [{}, {"router_config.json": {"types": {}}}, {"router_config.json": {"structure": {}}}]
)
def test_a_router_without_its_file_is_refused(files: dict[str, Any]) -> None:
    with pytest.raises(
        ModelError, match=r"the Router of modules.json has no router_config.json that lists its routes"
    ):
        read(ROUTER, files)


@pytest.mark.parametrize("listed", [["Pooling"], [{"path": "../other", "type": "x.Pooling"}], [{"path": "/etc"}]])
def test_a_list_that_leads_elsewhere_is_refused(listed: list[Any]) -> None:
    with pytest.raises(ModelError, match=r"modules\.json (should hold a list|names .*, outside the model's folder)"):
        read(listed)


def test_a_route_that_leads_elsewhere_is_refused() -> None:
    with pytest.raises(ModelError, match=r"outside the model's folder"):
        routed({"document": ["../../secret"]}, {"../../secret": "x.Pooling"})
