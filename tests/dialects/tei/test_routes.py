"""The routes of text-embeddings-inference give what the model's own routes give, in TEI's forms."""

from typing import Any

import numpy as np
import pytest

from encoderfile.service.limits import Limits
from encoderfile.service.service import Service
from support.controlled_models import Faulty
from support.dialects import Sie, SieServers, renamed

TEXTS = ["Hello world", "A second text, somewhat longer than the first.", "Zürich 東京 😀"]
LONG = "word " * 600
PROMPTS = {"query": "query: ", "document": "passage: "}


def embed(client: Sie, inputs: Any, path: str = "/embed", **more: Any) -> Any:
    response = client.post(path, {"inputs": inputs, **more})
    assert response.status_code == 200, response.text
    return response.json()


def test_vectors_are_normalised_unless_the_request_says_otherwise(dense: Sie) -> None:
    plain = np.array([each["embedding"] for each in dense.http.predict(TEXTS, normalize=False).results])
    np.testing.assert_allclose(embed(dense, TEXTS, normalize=False), plain, atol=1e-6)
    units = plain / np.linalg.norm(plain, axis=1, keepdims=True)
    np.testing.assert_allclose(embed(dense, TEXTS), units, atol=1e-6)


def test_one_text_is_answered_with_a_list_of_one(dense: Sie) -> None:
    np.testing.assert_allclose(embed(dense, TEXTS[0]), embed(dense, TEXTS)[:1], atol=1e-5)


def test_token_ids_are_read_alone_and_in_lists(sie: SieServers, dense: Sie) -> None:
    ids = [each.input_ids.tolist() for each in sie.model("dense").encode(TEXTS)]
    truth = embed(dense, TEXTS)
    np.testing.assert_allclose(embed(dense, ids[0]), truth[:1], atol=1e-5)
    np.testing.assert_allclose(embed(dense, [ids[0], TEXTS[1], ids[2]]), truth, atol=1e-5)


def test_fewer_dimensions_are_cut_and_normalised_again(own: SieServers) -> None:
    client = own.serve(renamed(own.model("dense"), matryoshka=True))
    whole = np.array(embed(client, TEXTS, normalize=False))[:, :16]
    np.testing.assert_allclose(embed(client, TEXTS, normalize=False, dimensions=16), whole, atol=1e-6)
    units = whole / np.linalg.norm(whole, axis=1, keepdims=True)
    np.testing.assert_allclose(embed(client, TEXTS, dimensions=16), units, atol=1e-6)


def test_a_prompt_is_chosen_by_its_name(own: SieServers, dense: Sie) -> None:
    client = own.serve(renamed(own.model("dense"), prompts=PROMPTS))
    np.testing.assert_allclose(embed(client, "a", prompt_name="query"), embed(dense, "query: a"), atol=1e-6)


@pytest.mark.parametrize("kind", ["dense", "tokens"])
def test_embed_all_gives_the_vectors_of_all_tokens(kind: str, sie: SieServers) -> None:
    found = embed(sie[kind], TEXTS, "/embed_all")
    truth = sie["tokens"].http.predict(TEXTS, normalize=False).results
    for one, other in zip(found, truth, strict=True):
        np.testing.assert_allclose(one, [row["embedding"] for row in other["embeddings"]], atol=1e-5)


def test_a_model_that_pools_in_its_graph_has_no_vectors_of_tokens(sie: SieServers) -> None:
    response = sie["bge-m3"].post("/embed_all", {"inputs": "a"})
    assert response.status_code == 424
    assert "does not support vectors of tokens: it gives dense and sparse and multivector" in response.json()["error"]


def test_sparse_weights_are_those_of_the_whole_vector(sie: SieServers) -> None:
    client = sie["sparse"]
    for found, truth in zip(embed(client, TEXTS, "/embed_sparse"), client.ready_made(TEXTS), strict=True):
        vector = np.zeros(len(truth["embedding"]), dtype=np.float32)
        for each in found:
            vector[each["index"]] = each["value"]
        np.testing.assert_allclose(vector, truth["embedding"], atol=1e-6)
        assert all(each["value"] for each in found)


def test_one_text_has_a_flat_list_of_labels_best_first(sie: SieServers) -> None:
    client = sie["labels"]
    (truth,) = client.http.predict(["It broke after two days."]).results
    found = embed(client, "It broke after two days.", "/predict")
    assert [each["label"] for each in found] == ["NEGATIVE", "POSITIVE"]
    np.testing.assert_allclose([each["score"] for each in found], sorted(truth["scores"], reverse=True), atol=1e-6)
    raw = embed(client, "It broke after two days.", "/predict", raw_scores=True)
    np.testing.assert_allclose([each["score"] for each in raw], sorted(truth["logits"], reverse=True), atol=1e-6)


def test_a_batch_of_texts_and_pairs_has_a_list_each(sie: SieServers) -> None:
    client = sie["labels"]
    found = embed(client, [["good"], ["bad", "very bad"]], "/predict")
    truth = client.http.predict(["good", {"text": "bad", "text_pair": "very bad"}]).results
    for one, other in zip(found, truth, strict=True):
        np.testing.assert_allclose([each["score"] for each in one], sorted(other["scores"], reverse=True), atol=1e-6)


def test_a_plain_list_of_strings_is_encoderfiles_own(sie: SieServers) -> None:
    body = sie["labels"].post("/predict", {"inputs": ["good", "bad"]}).json()
    assert set(body) == {"results", "model_id"}


def test_clients_of_the_inference_api_choose_function_and_number_of_labels(sie: SieServers) -> None:
    client = sie["labels"]
    (truth,) = client.http.predict(["good"]).results
    parameters = {"top_k": 1, "function_to_apply": "sigmoid"}
    ((found,),) = embed(client, "good", "/predict", parameters=parameters)
    assert found["score"] == pytest.approx(1 / (1 + np.exp(-max(truth["logits"]))), abs=1e-6)


def test_clients_of_the_inference_api_find_their_one_text_in_a_list(sie: SieServers) -> None:
    client = sie["labels"]
    flat = client.post("/", {"inputs": "good"}).json()
    assert client.post("/", {"inputs": "good", "parameters": {}}).json() == [flat]
    agent = {"user-agent": "@huggingface/inference/4.13.30 node"}
    assert client.post("/", {"inputs": "good"}, agent).json() == [flat]


def test_similarity_is_the_cosine_of_both_in_order(dense: Sie) -> None:
    body = {"inputs": {"source_sentence": TEXTS[0], "sentences": TEXTS}}
    source, *others = np.array(embed(dense, [TEXTS[0], *TEXTS]))
    np.testing.assert_allclose(dense.post("/similarity", body).json(), np.array(others) @ source, atol=1e-5)


def test_tokens_are_spelled_as_in_the_text(sie: SieServers) -> None:
    (tokens,) = embed(sie["ner"], "Zürich 東京", "/tokenize")
    assert [each["special"] for each in (tokens[0], tokens[-1])] == [True, True]
    assert all(each["start"] is None for each in tokens if each["special"])
    inner = [each for each in tokens if not each["special"]]
    assert all("Zürich 東京"[each["start"] : each["stop"]] == each["text"] for each in inner)
    (without,) = embed(sie["ner"], "Zürich 東京", "/tokenize", add_special_tokens=False)
    assert without == inner


def test_long_texts_are_tokenised_whole(sie: SieServers) -> None:
    (tokens,) = embed(sie["ner"], "word " * 5000, "/tokenize")
    assert len(tokens) > 5000


def test_ids_are_decoded_with_and_without_special_tokens(sie: SieServers) -> None:
    client = sie["dense"]
    (tokens,) = embed(client, "hello world", "/tokenize")
    ids = [each["id"] for each in tokens]
    assert client.post("/decode", {"ids": ids}).json() == ["hello world"]
    (whole,) = client.post("/decode", {"ids": [ids], "skip_special_tokens": False}).json()
    assert whole != "hello world"
    assert "hello world" in whole


@pytest.mark.parametrize(
    ("kind", "body", "path"),
    [
        ("dense", {"inputs": ["a", "b"]}, "/embed"),
        ("sparse", {"inputs": ["a", "b"]}, "/embed_sparse"),
        ("labels", {"inputs": "a"}, "/predict"),
        ("cross", {"query": "a", "texts": ["b", "c"]}, "/rerank"),
        ("colbert", {"query": "a", "texts": ["b", "c"]}, "/rerank"),
        ("dense", {"inputs": {"source_sentence": "a", "sentences": ["b"]}}, "/similarity"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_models_main_route_answers_under_its_other_names(
    kind: str, body: Any, path: str, sie: SieServers
) -> None:
    truth = sie[kind].post(path, body).json()
    for other in ("/", "/invocations"):
        assert sie[kind].post(other, body).json() == truth
    if "source_sentence" not in str(body):
        assert sie[kind].post("/vertex", {"instances": [body, body]}).json() == {"predictions": [truth, truth]}


def test_entities_are_those_of_the_pipeline(sie: SieServers) -> None:
    client, text = sie["ner"], "Angela Merkel lives in Berlin."
    truth = client.extract(text).json()["items"][0]["entities"]
    found = client.post("/", {"inputs": text}).json()
    assert [(each["entity_group"], each["start"], each["end"]) for each in found] == [
        (each["label"], each["start"], each["end"]) for each in truth
    ]
    none = client.post("/", {"inputs": text, "parameters": {"aggregation_strategy": "none"}}).json()
    assert {"entity", "score", "word", "start", "end"} == set(none[0])


@pytest.mark.parametrize("kind", ["nli", "gliclass"])
def test_labels_of_a_request_are_scored_at_the_main_route(kind: str, sie: SieServers) -> None:
    client, labels = sie[kind], ["sport", "politics"]
    truth = client.http.predict(["The match was close."], labels=labels).results[0]["classifications"]
    body = {"inputs": "The match was close.", "parameters": {"candidate_labels": labels}}
    found = client.post("/", body).json()
    assert [each["label"] for each in found] == [each["label"] for each in truth]
    np.testing.assert_allclose([each["score"] for each in found], [each["score"] for each in truth], atol=1e-6)


def test_a_model_without_a_main_route_says_what_it_gives(sie: SieServers) -> None:
    response = sie["gliner"].post("/", {"inputs": "a"})
    assert (response.status_code, response.json()["error_type"]) == (424, "Backend")
    assert "is no classifier of texts: it gives" in response.json()["error"]


def test_instances_count_together(own: SieServers) -> None:
    small = own.serve(own.model("dense"), Limits(max_inputs=3))
    assert small.post("/vertex", {"instances": [{"inputs": ["a", "b"]}, {"inputs": "c"}]}).status_code == 200
    assert small.post("/vertex", {"instances": [{"inputs": ["a", "b"]}, {"inputs": ["c", "d"]}]}).status_code == 413
    assert small.post("/vertex", {"instances": []}).status_code == 400
    assert small.post("/vertex", {"instances": [{"inputs": "a"}, {}]}).status_code == 422


HEADERS = {"x-compute-type", "x-compute-time", "x-compute-characters", "x-compute-tokens"}
HEADERS |= {"x-total-time", "x-tokenization-time", "x-queue-time", "x-inference-time"}


def test_headers_say_what_was_computed_and_how_long_it_took(dense: Sie) -> None:
    response = dense.post("/embed", {"inputs": TEXTS})
    assert set(response.headers) >= HEADERS
    assert response.headers["x-compute-type"] == "cpu"
    assert int(response.headers["x-compute-characters"]) == sum(map(len, TEXTS))
    usage = dense.post("/v1/embeddings", {"model": dense.id, "input": TEXTS}).json()["usage"]
    assert int(response.headers["x-compute-tokens"]) == usage["total_tokens"]
    assert int(response.headers["x-total-time"]) >= int(response.headers["x-inference-time"])


@pytest.mark.parametrize(
    ("kind", "dtype", "model_type"),
    [
        ("dense", "int8", {"embedding": {"pooling": "mean"}}),
        ("sparse", "float32", {"embedding": {"pooling": "splade"}}),
        (
            "labels",
            "int8",
            {
                "classifier": {
                    "id2label": {"0": "NEGATIVE", "1": "POSITIVE"},
                    "label2id": {"NEGATIVE": 0, "POSITIVE": 1},
                }
            },
        ),
        ("cross", "float32", {"reranker": {"id2label": {"0": "LABEL_0"}, "label2id": {"LABEL_0": 0}}}),
    ],
)
def test_info_is_true_for_this_model(kind: str, dtype: str, model_type: Any, sie: SieServers) -> None:
    found = sie[kind].http.get("/info").json()
    info = sie[kind].service.info
    assert found["model_type"] == model_type
    assert (found["model_id"], found["max_input_length"]) == (info.model_id, info.max_length)
    assert (found["max_client_batch_size"], found["auto_truncate"]) == (4096, True)
    assert found["model_dtype"] == dtype


def test_info_says_that_long_texts_are_refused(own: SieServers) -> None:
    strict = own.serve(own.model("dense"), Limits(refuse_overflow=True, max_inputs=5))
    found = strict.http.get("/info").json()
    assert (found["auto_truncate"], found["max_client_batch_size"]) == (False, 5)
    assert strict.post("/embed", {"inputs": "word " * 600}).status_code == 413
    assert strict.post("/embed", {"inputs": "word " * 600, "truncate": True}).status_code == 200


def test_the_first_served_name_is_told(own: SieServers) -> None:
    named = own.serve(own.servers.serve(Service(own.model("dense"), Limits(), served_names=["bge"])))
    assert named.http.get("/info").json()["served_model_name"] == "bge"


@pytest.mark.parametrize("path", ["/", "/ping", "/health"])
def test_probes_are_answered(path: str, dense: Sie) -> None:
    assert dense.http.get(path).status_code == 200


def test_with_a_key_the_probe_needs_none_and_the_rest_does(own: SieServers) -> None:
    client = own.serve(own.model("dense"), api_key="secret")
    assert client.http.get("/ping").status_code == 200
    response = client.post("/embed", {"inputs": "a"})
    assert response.status_code == 401
    assert response.json()["error_type"] == "Validation"


def test_a_model_that_fails_is_424_without_its_cause(own: SieServers) -> None:
    faulty = own.serve(Faulty(own.model("dense"), run=RuntimeError("secret")))
    response = faulty.post("/embed", {"inputs": "boom"})
    assert (response.status_code, response.json()["error_type"]) == (424, "Backend")
    assert "secret" not in response.text


@pytest.mark.parametrize("field", ["instruction", "task", "embedding_type", "top_k"])
def test_a_known_field_that_is_not_done_is_refused_by_name(field: str, dense: Sie) -> None:
    response = dense.post("/embed", {"inputs": "a", field: "x"})
    assert response.status_code == 422
    assert field in response.json()["error"]


def test_a_direction_of_truncation_is_followed(dense: Sie) -> None:
    start, end = "alpha beta gamma " * 200, "one two three " * 200
    left = embed(dense, start + end, truncation_direction="Left")
    np.testing.assert_allclose(left, embed(dense, end, truncation_direction="Left"), atol=1e-5)


@pytest.mark.parametrize(("kind", "gives"), [("labels", "labels"), ("ner", "labels"), ("cross", "labels")])
def test_similarities_at_the_main_route_of_another_model_are_refused_with_what_it_gives(
    kind: str, gives: str, sie: SieServers
) -> None:
    refused = sie[kind].post("/", {"inputs": {"source_sentence": "a", "sentences": ["b"]}})
    assert refused.status_code == 424
    assert refused.json()["error"].endswith(f"does not support similarity: it gives {gives}")


def test_windows_of_a_text_are_counted_before_they_are_made(sie: SieServers) -> None:
    room = sie["ner"].service.info.max_length - 2
    body = {"inputs": "a " * 50_000, "parameters": {"stride": room - 1}}
    response = sie["ner"].post("/", body)
    assert response.status_code == 413
    assert "windows with a stride of" in response.json()["error"]
    assert sie["ner"].post("/", {"inputs": "a" * 200_000, "parameters": {"stride": 0}}).status_code == 413


def test_a_stride_as_large_as_a_window_is_the_clients_fault(sie: SieServers) -> None:
    response = sie["ner"].post("/", {"inputs": "a", "parameters": {"stride": 5000}})
    assert response.status_code == 422
    assert "parameters.stride" in response.json()["error"]


def test_long_texts_are_read_in_windows_where_a_stride_is_sent(sie: SieServers) -> None:
    text = "Nothing happens here at all. " * 100 + "Angela Merkel lives in Berlin."
    found = sie["ner"].post("/", {"inputs": text, "parameters": {"stride": 16}}).json()
    assert "Berlin" in {text[each["start"] : each["end"]] for each in found}
    assert all(each["end"] < len(text) - 5 for each in sie["ner"].post("/", {"inputs": text}).json())


def test_requests_for_tokens_that_are_many_are_refused_at_once(
    own: SieServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = own.serve(own.model("dense"))
    monkeypatch.setattr("encoderfile.service.encoding.MAX_WAITING", 0)
    for path, body in (("/tokenize", {"inputs": "a"}), ("/decode", {"ids": [5]})):
        response = client.post(path, body)
        assert (response.status_code, response.json()["error_type"]) == (429, "Overloaded")
    assert client.post("/embed", {"inputs": "a"}).status_code == 200


def test_instances_of_classifiers_are_one_request_with_one_bound(own: SieServers) -> None:
    client = own.serve(own.model("labels"), Limits(max_values=9))
    assert client.post("/vertex", {"instances": [{"inputs": "a"}] * 2}).status_code == 200
    assert client.post("/vertex", {"instances": [{"inputs": "a"}] * 3}).status_code == 413


@pytest.mark.parametrize("kind", ["labels", "ner", "nli"])
def test_instances_have_the_answers_that_each_has_alone(kind: str, sie: SieServers) -> None:
    more = {"parameters": {"candidate_labels": ["sport", "politics"]}} if kind == "nli" else {}
    bodies = [{"inputs": text, **more} for text in ("Angela Merkel lives in Berlin.", "The match was close.")]
    found = sie[kind].post("/vertex", {"instances": bodies}).json()["predictions"]
    assert len(found) == 2
    for one, body in zip(found, bodies, strict=True):
        for each, other in zip(one, sie[kind].post("/", body).json(), strict=True):
            assert {**each, "score": 0} == {**other, "score": 0}
            assert each["score"] == pytest.approx(other["score"], abs=1e-4)
    different = [{**bodies[0], "truncate": True}, {**bodies[1], "truncate": False}] if kind == "labels" else None
    if different is not None:
        assert sie[kind].post("/vertex", {"instances": different}).status_code == 422


def test_a_list_of_texts_is_a_list_for_clients_of_the_inference_api(sie: SieServers) -> None:
    one, other = (sie["labels"].post("/", {"inputs": text}).json() for text in ("good", "bad"))
    both = sie["labels"].post("/", {"inputs": ["good", "bad"], "parameters": {}}).json()
    assert [[each["label"] for each in row] for row in both] == [
        [each["label"] for each in row] for row in (one, other)
    ]


def test_the_main_route_refuses_in_its_own_form_before_a_body_is_read(own: SieServers) -> None:
    client = own.serve(own.model("dense"), api_key="secret")
    response = client.post("/", {"inputs": "a"})
    assert (response.status_code, response.json()["error_type"]) == (401, "Validation")


def test_similarities_of_sparse_vectors_are_cosines_too(sie: SieServers) -> None:
    body = {"inputs": {"source_sentence": "good food", "sentences": ["good food", "bad weather"]}}
    first, second = sie["sparse"].post("/similarity", body).json()
    assert first == pytest.approx(1, abs=1e-4)
    assert 0 <= second < 1


def test_texts_and_documents_together_are_refused(sie: SieServers) -> None:
    response = sie["cross"].post("/rerank", {"query": "q", "texts": ["a"], "documents": ["b"]})
    assert response.status_code == 422
    assert "texts and documents are given together" in response.json()["error"]


@pytest.mark.parametrize(
    ("path", "read"),
    [
        ("/v1/chat/completions", lambda body: body["error"]["message"]),
        ("/v1/completions", lambda body: body["error"]["message"]),
        ("/v1/responses", lambda body: body["error"]["message"]),
        ("/v1/chat", lambda body: body["message"]),
        ("/v2/chat", lambda body: body["message"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_clients_that_want_text_are_told_in_their_own_form_that_there_is_none(
    path: str, read: Any, dense: Sie
) -> None:
    response = dense.post(path, {"model": "m", "messages": []})
    assert response.status_code == 404
    assert "an encoder, which writes no text" in read(response.json())


@pytest.mark.parametrize(
    ("kind", "path", "body", "place"),
    [
        ("cross", "/rerank", {"query": "q", "texts": ["a", LONG], "truncate": False}, "texts[1]"),
        ("cross", "/rerank", {"query": "q", "documents": ["a", LONG], "truncate": False}, "documents[1]"),
        ("dense", "/decode", {"ids": [[5], [10**7]]}, "ids[1]"),
        ("dense", "/v1/embeddings", {"input": ["a", LONG], "truncate": False}, "input[1]"),
        ("dense", "/api/embed", {"model": "org/dense", "input": ["a", LONG], "truncate": False}, "input[1]"),
        (
            "dense",
            "/similarity",
            {"inputs": {"source_sentence": "a", "sentences": ["a", LONG]}, "parameters": {"truncate": False}},
            "sentences[1]",
        ),
    ],
    ids=["texts", "documents", "ids", "openai", "ollama", "sentences"],
)
def test_a_refused_text_is_named_by_the_field_that_it_came_in(
    kind: str, path: str, body: Any, place: str, sie: SieServers
) -> None:
    response = sie[kind].post(path, body)
    assert response.status_code in (400, 413, 422)
    assert f"Invalid input: {place} " in str(response.json())
