"""What the Encoderfile API page says, sentence by sentence, and the tests that prove each.

`make docs` writes docs/conformance.md from this; a test holds the two together, and that every test exists.
The page is the "API Reference" of encoderfile, as of v0.7.0.
"""

from __future__ import annotations

import sys
from pathlib import Path

# `make docs` runs this file by itself.
sys.path.insert(0, str(Path(__file__).parents[1]))

from support import statements
from support.statements import Statement

PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"

FOLDERS = ("contract", "file", "examples", "truth", "unit")
"""Below tests/: where the tests stand that the table names."""

HEAD = (
    "# The Encoderfile API, point by point",
    "",
    "Written by `make docs` from `tests/contract/statements.py`: what encoderfile's API page says, in our words, and",
    "the tests that prove it here. `forms::` is `test_forms.py`, and so on, in "
    + ", ".join(f"`tests/{folder}`" for folder in FOLDERS[:-1])
    + f" and `tests/{FOLDERS[-1]}`.",
    "A test fails when a statement has no test, or names one that is not there.",
)

STATEMENTS: dict[str, tuple[Statement, ...]] = {
    "Overview": (
        Statement(
            "Three ways in: HTTP with JSON, gRPC with Protocol Buffers, and MCP",
            (
                "answers::test_every_wire_carries_the_services_numbers_to_the_last_bit",
                "serve::test_every_way_in_gives_what_infer_gives",
            ),
        ),
        Statement(
            "HTTP on port 8080 unless told otherwise",
            (
                "settings::test_the_default_addresses_are_those_of_the_api_page",
                "pages::test_the_commands_of_a_page_give_what_the_page_says",
            ),
        ),
        Statement(
            "gRPC on port 50051 unless told otherwise",
            (
                "settings::test_the_default_addresses_are_those_of_the_api_page",
                "pages::test_the_commands_of_a_page_give_what_the_page_says",
            ),
        ),
        Statement(
            "The model type decides which there are: `embedding`, `sequence_classification`, `token_classification`",
            (
                "http_routes::test_model_has_the_fields_of_its_type_and_no_other",
                "grpc_reflection::test_the_services_of_this_model_type_are_listed_and_no_others",
            ),
            "`sentence_embedding` is a fourth, as v0.7.0 has it.",
        ),
    ),
    "HTTP": (
        Statement(
            "Endpoints answer JSON",
            (
                "http_routes::test_health_is_the_json_text_ok",
                "http_routes::test_model_has_the_fields_of_its_type_and_no_other",
                "openapi::test_real_answers_fit_the_response_schema",
            ),
        ),
        Statement(
            "Errors have their HTTP status and a message",
            (
                "http_refusals::test_a_body_of_the_wrong_shape_is_told_what_was_found",
                "failures::test_a_failure_is_one_sentence_and_the_next_request_is_answered",
                "status_tables::test_the_table_covers_every_kind_as_promised",
            ),
        ),
        Statement(
            "The common endpoints are there for every model type",
            (
                "http_routes::test_health_is_the_json_text_ok",
                "http_routes::test_model_has_the_fields_of_its_type_and_no_other",
                "openapi::test_the_document_is_valid_openapi_3_0",
            ),
        ),
    ),
    "GET /health": (
        Statement(
            'Says that the server runs: `"OK!"` with status 200', ("http_routes::test_health_is_the_json_text_ok",)
        ),
        Statement(
            "The curl example",
            (
                "clients::test_curl_gets_the_answer",
                "pages::test_the_commands_of_a_page_give_what_the_page_says",
            ),
        ),
    ),
    "GET /model": (
        Statement(
            "`model_id` is the name given when the file was built",
            (
                "http_routes::test_model_has_the_fields_of_its_type_and_no_other",
                "serve::test_the_models_name_and_labels_are_told",
            ),
        ),
        Statement(
            "`model_type` is the type of the model",
            ("http_routes::test_model_has_the_fields_of_its_type_and_no_other",),
        ),
        Statement(
            "`id2label` maps indices, as texts, to labels for classifiers; embedding models have none",
            ("http_routes::test_model_has_the_fields_of_its_type_and_no_other",),
        ),
        Statement("Status 200", ("http_routes::test_model_has_the_fields_of_its_type_and_no_other",)),
        Statement(
            "The curl example and its answer",
            (
                "clients::test_curl_gets_the_answer",
                "serve::test_the_models_name_and_labels_are_told",
                "pages::test_the_commands_of_a_page_give_what_the_page_says",
            ),
        ),
    ),
    "GET /openapi.json": (
        Statement(
            "An OpenAPI 3.0 document in JSON, status 200", ("openapi::test_the_document_is_valid_openapi_3_0",)
        ),
        Statement(
            "It describes this API",
            (
                "openapi::test_it_names_every_route_of_the_dialect",
                "openapi::test_every_route_it_names_is_there",
                "openapi::test_it_names_every_status_a_client_may_meet",
                "openapi::test_real_answers_fit_the_response_schema",
                "openapi::test_the_response_schema_leaves_no_field_of_an_answer_undescribed",
                "openapi::test_requests_that_fit_the_schema_are_answered",
                "openapi::test_requests_that_do_not_fit_the_schema_are_refused",
                "fuzz::test_a_fuzzer_finds_no_500_and_nothing_that_the_document_does_not_have",
                "fuzz::test_a_fuzzer_finds_what_fits_the_schema_answered_and_what_does_not_refused",
            ),
        ),
        Statement("The curl example", ("clients::test_curl_gets_the_answer",)),
    ),
    "POST /predict, embedding": (
        Statement(
            "`inputs`: required, a list of texts",
            (
                "refusals::test_an_empty_list_is_refused",
                "http_refusals::test_a_body_of_the_wrong_shape_is_told_what_was_found",
                "refusals::test_an_empty_text_is_refused_and_its_place_is_named",
            ),
        ),
        Statement(
            "`normalize`: required, whether vectors get unit L2 norm",
            (
                "http_refusals::test_embeddings_need_a_boolean_normalize",
                "forms::test_normalize_true_gives_each_token_unit_length_and_false_leaves_it",
                "embeddings::test_normalised_token_vectors_keep_their_direction",
            ),
        ),
        Statement(
            "`metadata`: optional, keys and values of the caller's own, which come back",
            (
                "metadata::test_metadata_is_echoed",
                "metadata::test_metadata_that_was_not_sent_is_absent",
                "metadata::test_empty_metadata_comes_back_empty_where_the_wire_can_tell",
            ),
            "Values that are no texts are refused.",
        ),
        Statement("`results`: one per input", ("answers::test_results_come_in_the_order_of_the_inputs",)),
        Statement(
            "`embeddings`: one per token of the text, special tokens such as `[CLS]` included",
            (
                "forms::test_a_token_embedding_has_one_vector_per_token_special_tokens_included",
                "forms::test_padding_is_never_part_of_a_result",
            ),
        ),
        Statement(
            "`embedding` is the token's vector", ("embeddings::test_token_vectors_are_those_of_the_reference",)
        ),
        Statement(
            "`token_info`: `token`, `token_id`, `start`, `end`",
            (
                "forms::test_a_token_embedding_has_one_vector_per_token_special_tokens_included",
                "openapi::test_the_response_schema_leaves_no_field_of_an_answer_undescribed",
            ),
        ),
        Statement(
            "`token` is the token's text, `token_id` its place in the vocabulary",
            ("tokens::test_a_text_becomes_the_tokens_of_the_reference",),
        ),
        Statement(
            "`start` and `end` are character offsets",
            (
                "texts::test_offsets_count_code_points_whatever_stands_before",
                "texts::test_offsets_find_the_word_in_the_text",
                "tokens::test_a_text_becomes_the_tokens_of_the_reference",
            ),
        ),
        Statement("`model_id` is in the answer", ("forms::test_the_model_id_is_the_models_name",)),
        Statement("Status 200", ("openapi::test_requests_that_fit_the_schema_are_answered",)),
        Statement(
            "Status 422 for invalid input",
            (
                "openapi::test_requests_that_do_not_fit_the_schema_are_refused",
                "http_refusals::test_a_body_that_cannot_be_read_is_invalid_input",
                "http_refusals::test_a_body_of_the_wrong_shape_is_told_what_was_found",
            ),
        ),
        Statement(
            "Status 500 for an error of the server",
            (
                "failures::test_a_failure_is_one_sentence_and_the_next_request_is_answered",
                "failures::test_numbers_that_are_none_are_a_failure_and_never_an_answer",
            ),
        ),
        Statement(
            "The curl example and the form of its answer",
            (
                "clients::test_curl_gets_the_answer",
                "forms::test_a_token_embedding_has_one_vector_per_token_special_tokens_included",
            ),
            "Its numbers are illustrations there; here `[SEP]` follows too.",
        ),
    ),
    "POST /predict, sequence_classification": (
        Statement(
            "`inputs`: required, a list of texts",
            (
                "refusals::test_an_empty_list_is_refused",
                "http_refusals::test_a_body_of_the_wrong_shape_is_told_what_was_found",
                "refusals::test_an_empty_text_is_refused_and_its_place_is_named",
            ),
        ),
        Statement(
            "`metadata`: optional, keys and values of the caller's own, which come back",
            (
                "metadata::test_metadata_is_echoed",
                "metadata::test_metadata_that_was_not_sent_is_absent",
                "metadata::test_empty_metadata_comes_back_empty_where_the_wire_can_tell",
            ),
            "Values that are no texts are refused.",
        ),
        Statement("`results`: one per input", ("answers::test_results_come_in_the_order_of_the_inputs",)),
        Statement("`logits` are the model's own outputs", ("labels::test_a_text_gets_the_label_of_the_reference",)),
        Statement(
            "`scores` are their softmax and sum to 1",
            (
                "forms::test_a_classified_text_names_its_label_and_scores_that_sum_to_one",
                "scores::test_softmax_is_what_the_formula_says",
                "labels::test_a_multi_label_model_scores_each_label_on_its_own",
            ),
            "A model of one logit, or of several labels at once, has sigmoids instead.",
        ),
        Statement(
            "`predicted_index` is the class with the highest score",
            (
                "forms::test_a_classified_text_names_its_label_and_scores_that_sum_to_one",
                "labels::test_a_text_gets_the_label_of_the_reference",
            ),
        ),
        Statement(
            "`predicted_label` is its label",
            (
                "forms::test_a_classified_text_names_its_label_and_scores_that_sum_to_one",
                "labels::test_the_labels_are_named_as_the_model_names_them",
            ),
        ),
        Statement("`model_id` is in the answer", ("forms::test_the_model_id_is_the_models_name",)),
        Statement("Status 200", ("openapi::test_requests_that_fit_the_schema_are_answered",)),
        Statement(
            "Status 422 for invalid input",
            (
                "openapi::test_requests_that_do_not_fit_the_schema_are_refused",
                "http_refusals::test_a_body_that_cannot_be_read_is_invalid_input",
                "http_refusals::test_a_body_of_the_wrong_shape_is_told_what_was_found",
            ),
        ),
        Statement(
            "Status 500 for an error of the server",
            (
                "failures::test_a_failure_is_one_sentence_and_the_next_request_is_answered",
                "failures::test_numbers_that_are_none_are_a_failure_and_never_an_answer",
            ),
        ),
        Statement(
            "The curl example and the form of its answer",
            (
                "clients::test_curl_gets_the_answer",
                "forms::test_a_classified_text_names_its_label_and_scores_that_sum_to_one",
            ),
        ),
    ),
    "POST /predict, token_classification": (
        Statement(
            "`inputs`: required, a list of texts",
            (
                "refusals::test_an_empty_list_is_refused",
                "http_refusals::test_a_body_of_the_wrong_shape_is_told_what_was_found",
                "refusals::test_an_empty_text_is_refused_and_its_place_is_named",
            ),
        ),
        Statement(
            "`metadata`: optional, keys and values of the caller's own, which come back",
            (
                "metadata::test_metadata_is_echoed",
                "metadata::test_metadata_that_was_not_sent_is_absent",
                "metadata::test_empty_metadata_comes_back_empty_where_the_wire_can_tell",
            ),
            "Values that are no texts are refused.",
        ),
        Statement("`results`: one per input", ("answers::test_results_come_in_the_order_of_the_inputs",)),
        Statement(
            "`tokens`: one per token",
            (
                "forms::test_a_classified_token_has_the_score_of_its_label_and_special_tokens_are_left_out",
                "forms::test_padding_is_never_part_of_a_result",
            ),
        ),
        Statement(
            "`token_info`: `token`, `token_id`, `start`, `end`",
            (
                "forms::test_a_token_embedding_has_one_vector_per_token_special_tokens_included",
                "openapi::test_the_response_schema_leaves_no_field_of_an_answer_undescribed",
            ),
        ),
        Statement(
            "`token` is the token's text, `token_id` its place in the vocabulary",
            ("tokens::test_a_text_becomes_the_tokens_of_the_reference",),
        ),
        Statement(
            "`start` and `end` are character offsets",
            (
                "texts::test_offsets_count_code_points_whatever_stands_before",
                "texts::test_offsets_find_the_word_in_the_text",
                "tokens::test_a_text_becomes_the_tokens_of_the_reference",
            ),
        ),
        Statement(
            "`logits` are the model's own outputs", ("labels::test_every_token_gets_the_label_of_the_reference",)
        ),
        Statement(
            "`scores` are their softmax and sum to 1",
            ("forms::test_a_classified_token_has_the_score_of_its_label_and_special_tokens_are_left_out",),
        ),
        Statement(
            "`label` is the predicted label",
            (
                "forms::test_a_classified_token_has_the_score_of_its_label_and_special_tokens_are_left_out",
                "labels::test_every_token_gets_the_label_of_the_reference",
            ),
        ),
        Statement(
            "`score` is the predicted label's",
            ("forms::test_a_classified_token_has_the_score_of_its_label_and_special_tokens_are_left_out",),
        ),
        Statement("`model_id` is in the answer", ("forms::test_the_model_id_is_the_models_name",)),
        Statement("Status 200", ("openapi::test_requests_that_fit_the_schema_are_answered",)),
        Statement(
            "Status 422 for invalid input",
            (
                "openapi::test_requests_that_do_not_fit_the_schema_are_refused",
                "http_refusals::test_a_body_that_cannot_be_read_is_invalid_input",
                "http_refusals::test_a_body_of_the_wrong_shape_is_told_what_was_found",
            ),
        ),
        Statement(
            "Status 500 for an error of the server",
            (
                "failures::test_a_failure_is_one_sentence_and_the_next_request_is_answered",
                "failures::test_numbers_that_are_none_are_a_failure_and_never_an_answer",
            ),
        ),
        Statement(
            "The curl example and the form of its answer",
            (
                "clients::test_curl_gets_the_answer",
                "forms::test_a_classified_token_has_the_score_of_its_label_and_special_tokens_are_left_out",
            ),
            "Every token is there, with its true offsets; the page shows a few, off by one.",
        ),
    ),
    "gRPC": (
        Statement(
            "The same functions as HTTP", ("answers::test_every_wire_carries_the_services_numbers_to_the_last_bit",)
        ),
        Statement(
            "Three services, by model type",
            (
                "grpc_reflection::test_the_services_of_this_model_type_are_listed_and_no_others",
                "grpc_calls::test_another_model_types_service_is_unimplemented",
            ),
            "`SentenceEmbedding` is a fourth, and the names of v0.7.0 answer too.",
        ),
        Statement(
            "On `[::]`, all interfaces, port 50051, unless told otherwise",
            (
                "settings::test_the_default_addresses_are_those_of_the_api_page",
                "addresses::test_the_default_addresses_will_do_without_ipv6",
            ),
        ),
        Statement("Over HTTP/2", ("grpc_reflection::test_a_client_made_from_the_descriptors_is_answered",)),
        Statement(
            "The services are defined in `.proto` files",
            ("protos::test_the_committed_code_is_what_the_protos_generate",),
            "In `proto/`.",
        ),
        Statement(
            "All services have `GetModelMetadata`, with an empty request",
            ("grpc_calls::test_the_models_metadata_is_told",),
        ),
        Statement(
            "`GetModelMetadataResponse`: `model_id` = 1, `model_type` = 2, `id2label` = 3",
            (
                "grpc_reflection::test_the_fields_have_the_numbers_of_the_api_page",
                "grpc_calls::test_the_models_metadata_is_told",
            ),
        ),
        Statement(
            "`ModelType`: the numbers 0 to 3", ("grpc_calls::test_the_model_types_have_the_numbers_of_the_api_page",)
        ),
        Statement(
            "`encoderfile.Embedding` has `Predict`",
            (
                "grpc_reflection::test_the_services_of_this_model_type_are_listed_and_no_others",
                "grpc_reflection::test_a_client_made_from_the_descriptors_is_answered",
            ),
        ),
        Statement(
            "Fields and numbers: `EmbeddingRequest`, `EmbeddingResponse` and what is in it, down to `TokenInfo`",
            (
                "grpc_reflection::test_the_fields_have_the_numbers_of_the_api_page",
                "grpc_bytes::test_answers_are_byte_for_byte_those_of_the_published_messages",
            ),
        ),
        Statement(
            "The grpcurl example for `Embedding`",
            (
                "clients::test_grpcurl_gets_the_answer",
                "pages::test_the_commands_of_a_page_give_what_the_page_says",
                "grpc_reflection::test_every_listed_service_can_be_described",
            ),
        ),
        Statement(
            "`encoderfile.SequenceClassification` has `Predict`",
            (
                "grpc_reflection::test_the_services_of_this_model_type_are_listed_and_no_others",
                "grpc_reflection::test_a_client_made_from_the_descriptors_is_answered",
            ),
        ),
        Statement(
            "Fields and numbers: `SequenceClassificationRequest`, `SequenceClassificationResponse` and its results",
            (
                "grpc_reflection::test_the_fields_have_the_numbers_of_the_api_page",
                "grpc_bytes::test_answers_are_byte_for_byte_those_of_the_published_messages",
            ),
        ),
        Statement(
            "The grpcurl example for `SequenceClassification`",
            (
                "clients::test_grpcurl_gets_the_answer",
                "pages::test_the_commands_of_a_page_give_what_the_page_says",
                "grpc_reflection::test_every_listed_service_can_be_described",
            ),
        ),
        Statement(
            "`predicted_label` is optional in the message",
            (
                "protos::test_the_committed_code_is_what_the_protos_generate",
                "grpc_reflection::test_a_client_made_from_the_descriptors_is_answered",
            ),
        ),
        Statement(
            "`encoderfile.TokenClassification` has `Predict`",
            (
                "grpc_reflection::test_the_services_of_this_model_type_are_listed_and_no_others",
                "grpc_reflection::test_a_client_made_from_the_descriptors_is_answered",
            ),
        ),
        Statement(
            "Fields and numbers: `TokenClassificationRequest`, `TokenClassificationResponse` and its results",
            (
                "grpc_reflection::test_the_fields_have_the_numbers_of_the_api_page",
                "grpc_bytes::test_answers_are_byte_for_byte_those_of_the_published_messages",
            ),
            "The message `TokenClassification` is nested: a service has its name. The wire is the same.",
        ),
        Statement(
            "The grpcurl example for `TokenClassification`",
            (
                "clients::test_grpcurl_gets_the_answer",
                "pages::test_the_commands_of_a_page_give_what_the_page_says",
                "grpc_reflection::test_every_listed_service_can_be_described",
            ),
        ),
        Statement(
            "`INVALID_ARGUMENT` where HTTP has 422",
            (
                "refusals::test_an_empty_text_is_refused_and_its_place_is_named",
                "grpc_calls::test_bytes_that_are_no_message_are_invalid_input",
                "status_tables::test_the_table_covers_every_kind_as_promised",
            ),
        ),
        Statement(
            "`INTERNAL` where HTTP has 500, configuration errors included",
            (
                "failures::test_a_failure_is_one_sentence_and_the_next_request_is_answered",
                "status_tables::test_the_table_covers_every_kind_as_promised",
            ),
        ),
    ),
    "MCP": (
        Statement(
            "At `/mcp`, Streamable HTTP alone, on the HTTP server's port",
            (
                "mcp_protocol::test_requests_need_no_session",
                "mcp_http::test_a_stateless_server_takes_post_alone",
                "mcp_protocol::test_the_official_client_is_answered_and_refused_in_every_mode",
            ),
            "Also over stdio, and on a port of its own, with the command `mcp`.",
        ),
        Statement("One tool per model type, `run_encoder`", ("mcp_tool::test_there_is_one_tool",)),
        Statement(
            "The tool's description, for each model type",
            (
                "mcp_tool::test_the_description_begins_with_the_api_pages_words_and_tells_an_agent_what_this_model_is_for",
            ),
            "The page's words, then what this model is for.",
        ),
        Statement(
            "Its parameters are those of the HTTP request",
            (
                "mcp_tool::test_the_schemas_are_those_of_http",
                "mcp_tool::test_wrong_arguments_are_refused_with_the_sentence_that_http_has",
            ),
        ),
        Statement(
            "It returns the HTTP answer",
            (
                "answers::test_every_wire_carries_the_services_numbers_to_the_last_bit",
                "mcp_tool::test_the_schemas_are_valid_and_real_answers_fit",
                "mcp_tool::test_the_text_beside_the_structured_answer_is_the_same_json",
            ),
            "In `_meta` it also says how many texts were cut.",
        ),
        Statement(
            "Protocol version 2025-06-18",
            (
                "mcp_protocol::test_a_client_gets_the_version_it_asks_for",
                "mcp_protocol::test_the_official_client_agrees_on_the_newest_version_it_knows",
            ),
            "And the newer ones, for clients that ask.",
        ),
        Statement(
            "Capabilities: tools and nothing else",
            ("mcp_protocol::test_the_server_has_tools_only_and_names_the_product_and_the_model",),
        ),
        Statement(
            "Server info tells what was built",
            ("mcp_protocol::test_the_server_has_tools_only_and_names_the_product_and_the_model",),
        ),
        Statement(
            "`serve` is enough to connect a client at `/mcp`",
            (
                "clients::test_the_mcp_client_gets_the_answer_over_http",
                "serve::test_every_way_in_gives_what_infer_gives",
            ),
        ),
    ),
    "Errors": (
        Statement(
            "`InputError`: 422, `INVALID_ARGUMENT`, `INVALID_REQUEST`",
            (
                "status_tables::test_the_table_covers_every_kind_as_promised",
                "refusals::test_an_empty_text_is_refused_and_its_place_is_named",
            ),
            "MCP's codes are JSON-RPC's numbers: -32600.",
        ),
        Statement(
            "`InternalError`: 500, `INTERNAL`, `INTERNAL_ERROR`",
            (
                "status_tables::test_the_table_covers_every_kind_as_promised",
                "failures::test_a_failure_is_one_sentence_and_the_next_request_is_answered",
                "failures::test_a_failure_that_nobody_foresaw_is_logged_once",
            ),
            "MCP's codes are JSON-RPC's numbers: -32603.",
        ),
        Statement(
            "`ConfigError`: 500, `INTERNAL`, `INTERNAL_ERROR`",
            ("status_tables::test_the_table_covers_every_kind_as_promised",),
            "Settings are checked before anything is served, so that no client meets it.",
        ),
        Statement(
            "HTTP: the status and the message as `text/plain`",
            (
                "http_refusals::test_a_body_of_the_wrong_shape_is_told_what_was_found",
                "http_refusals::test_a_body_that_cannot_be_read_is_invalid_input",
            ),
        ),
        Statement(
            "The message for an empty text",
            ("refusals::test_an_empty_text_is_refused_and_its_place_is_named",),
            "It goes on to name the input.",
        ),
        Statement(
            "gRPC: a status with code and message",
            (
                "refusals::test_an_empty_text_is_refused_and_its_place_is_named",
                "serve::test_every_way_in_refuses_in_the_same_words",
            ),
        ),
        Statement(
            "MCP: an error object with `code`, `message` and `data`",
            ("mcp_protocol::test_a_refusal_is_an_error_object_with_its_code_and_sentence",),
            "`code` is a number, and `data`, which has nothing to say, is left out.",
        ),
    ),
    "Client examples": (
        Statement("Python over HTTP", ("clients::test_the_python_http_client_gets_the_answer",)),
        Statement(
            "Python over gRPC, with generated stubs",
            (
                "clients::test_the_python_grpc_client_gets_the_answer",
                "protos::test_the_generated_code_can_be_imported",
            ),
        ),
        Statement("JavaScript over HTTP", ("clients::test_the_javascript_http_client_gets_the_answer",)),
        Statement("Go over gRPC, with generated stubs", ("clients::test_the_go_client_gets_the_answer",)),
        Statement("curl, for every model type", ("clients::test_curl_gets_the_answer",)),
    ),
    "Rate limiting and performance": (
        Statement(
            "Every endpoint takes several inputs at once",
            (
                "answers::test_results_come_in_the_order_of_the_inputs",
                "answers::test_a_text_alone_has_the_numbers_it_has_in_company",
            ),
        ),
        Statement(
            "One request with many inputs costs less than many requests",
            ("answers::test_the_inputs_of_one_request_share_a_run",),
        ),
        Statement(
            "Many requests at the same time are handled",
            ("answers::test_callers_of_every_way_at_once_each_get_their_own_answer",),
        ),
        Statement(
            "How many depends on the machine, the model and the length of texts",
            (
                "pressure::test_a_full_queue_refuses_at_once_and_answers_what_it_took",
                "refusals::test_more_inputs_than_allowed_are_refused_with_the_limit_and_the_number",
            ),
            "Bounds are flags, and what is beyond them is refused at once.",
        ),
        Statement("Advice: put texts together", ("answers::test_the_inputs_of_one_request_share_a_run",)),
        Statement("Advice: keep connections", ("http_routes::test_one_connection_carries_many_requests",)),
        Statement(
            "Advice: timeouts that suit long texts",
            (
                "leaving::test_a_call_whose_deadline_passes_frees_its_place",
                "leaving::test_a_caller_who_leaves_while_waiting_frees_his_place_and_is_never_run",
            ),
        ),
        Statement("Advice: watch memory", ("memory::test_a_served_minilm_stays_below_300_mb",)),
        Statement(
            "Advice: gRPC for many requests",
            (
                "answers::test_every_wire_carries_the_services_numbers_to_the_last_bit",
                "grpc_calls::test_answers_beyond_four_megabytes_arrive",
            ),
        ),
    ),
    "Beyond the page: what clients do to a server": (
        Statement(
            "A text longer than the model's limit",
            (
                "truncation::test_cut_texts_are_counted_beside_the_answer",
                "truncation::test_with_overflow_error_a_long_text_is_refused_with_its_place_and_the_limit",
                "truncation::test_a_text_at_the_limit_is_not_cut_and_one_token_more_is",
                "infer::test_cut_texts_are_warned_of_on_stderr",
            ),
            "Cut, and counted beside the answer; refused with `--overflow error`.",
        ),
        Statement(
            "Damaged messages",
            (
                "fuzz::test_damaged_messages_are_answered_or_invalid_and_nothing_else",
                "http_refusals::test_a_body_that_cannot_be_read_is_invalid_input",
                "mcp_protocol::test_a_body_that_is_no_message_is_an_error_and_the_next_is_answered",
            ),
            "Invalid input.",
        ),
        Statement(
            "Lone surrogates",
            (
                "http_refusals::test_a_body_that_cannot_be_read_is_invalid_input",
                "refusals::test_a_lone_surrogate_that_gets_past_a_decoder_is_refused_by_the_service",
                "grpc_calls::test_bytes_that_are_no_message_are_invalid_input",
            ),
            "Invalid input.",
        ),
        Statement(
            "Outputs that are not finite",
            (
                "failures::test_numbers_that_are_none_are_a_failure_and_never_an_answer",
                "failures::test_one_bad_text_does_not_spoil_the_answers_of_its_batch",
            ),
            "An internal error, never `null`.",
        ),
        Statement(
            "Control characters, right-to-left text, emoji, white space",
            (
                "texts::test_every_kind_of_text_is_answered",
                "texts::test_every_kind_of_text_is_answered_alone",
                "texts::test_white_space_alone_has_no_tokens_but_its_special_ones",
            ),
            "Answered.",
        ),
        Statement(
            "10,000 inputs",
            ("refusals::test_ten_thousand_inputs_are_refused_unless_allowed_and_then_answered",),
            "Refused above `--max-inputs`, else answered.",
        ),
        Statement(
            "A body over the limit",
            (
                "http_limits::test_a_longer_body_is_413_and_the_next_is_answered",
                "http_limits::test_a_longer_body_in_chunks_is_413_too",
                "mcp_http::test_a_body_over_the_limit_is_413_and_the_next_is_answered",
                "grpc_calls::test_a_request_at_the_body_limit_is_answered_and_a_larger_one_is_not",
            ),
            "413, in gRPC `RESOURCE_EXHAUSTED`.",
        ),
        Statement(
            "A slow client",
            (
                "slow_clients::test_a_body_that_comes_byte_by_byte_is_answered_and_holds_up_nobody",
                "slow_clients::test_a_client_that_does_not_read_holds_up_nobody_and_gets_it_all_in_the_end",
                "slow_clients::test_a_body_that_stops_coming_is_408_and_not_waited_for",
                "slow_clients::test_a_client_that_stops_halfway_does_not_hold_up_the_end_of_the_server",
            ),
            "Answered, and nobody waits for it; 408 when nothing comes for a minute.",
        ),
        Statement(
            "A client that leaves",
            (
                "leaving::test_a_caller_who_leaves_while_waiting_frees_his_place_and_is_never_run",
                "leaving::test_a_caller_who_leaves_during_the_run_disturbs_nobody",
                "leaving::test_a_call_whose_deadline_passes_frees_its_place",
            ),
            "Its place is free.",
        ),
        Statement(
            "A full queue, a server that stops",
            (
                "pressure::test_a_full_queue_refuses_at_once_and_answers_what_it_took",
                "pressure::test_a_stopping_server_refuses_new_work_and_answers_what_it_took",
                "http_retry::test_a_full_queue_says_retry_after_one_second",
                "grpc_health::test_a_draining_server_says_so_of_everything",
                "signals::test_what_was_accepted_is_answered",
            ),
            "503 with `Retry-After`, `RESOURCE_EXHAUSTED` or `UNAVAILABLE`, at once.",
        ),
        Statement(
            "A key",
            (
                "keys::test_http_and_mcp_refuse_another_key",
                "keys::test_grpc_refuses_another_key",
                "keys::test_http_health_needs_no_key",
                "keys::test_grpc_health_needs_no_key",
                "settings::test_a_key_that_no_header_carries_is_refused_and_not_repeated",
                "serve::test_a_server_open_to_every_network_without_a_key_warns",
            ),
            "`--api-key`: 401, `UNAUTHENTICATED`; health is open.",
        ),
        Statement(
            "TLS",
            (
                "tls::test_http_and_grpc_answer_over_tls",
                "tls::test_mcp_answers_over_tls",
                "tls::test_a_client_without_trust_or_without_tls_is_turned_away",
            ),
            "For every way in.",
        ),
        Statement(
            "Hosts and origins of web pages",
            (
                "mcp_http::test_a_foreign_host_is_421",
                "mcp_http::test_a_foreign_origin_is_403",
                "mcp_http::test_an_allowed_host_is_let_through_as_host_and_as_origin",
            ),
            "Checked at `/mcp`.",
        ),
        Statement(
            "MCP over stdio, and on a port of its own",
            (
                "mcp_stdio::test_the_official_client_gets_what_infer_gives",
                "mcp_stdio::test_stdout_carries_messages_alone_and_everything_piped_in_is_answered",
                "mcp_stdio::test_mcp_over_http_has_a_port_of_its_own_and_no_grpc",
                "mcp_stdio::test_a_port_may_be_named",
            ),
            "`mcp`, `mcp --transport http --port 9100`.",
        ),
        Statement(
            "Stubs of v0.7.0",
            (
                "grpc_v07::test_old_stubs_are_answered_with_the_same_numbers",
                "grpc_v07::test_token_labels_have_the_field_numbers_of_that_version",
                "grpc_v07::test_old_stubs_are_told_the_models_metadata",
                "grpc_v07::test_old_stubs_are_refused_with_the_same_sentence",
            ),
            "Answered.",
        ),
        Statement(
            "Commands, flags and their variables",
            (
                "commands_page::test_the_commands_page_is_what_make_docs_writes",
                "settings::test_every_flag_has_an_environment_variable_and_wins_over_it",
                "info::test_help_shows_each_flag_of_serve_with_its_variable",
                "info::test_wrong_usage_is_exit_code_2",
                "completion::test_bash_completes_commands_flags_and_values",
            ),
            "[cli.md](cli.md)",
        ),
    ),
}


def page() -> str:
    """The whole page."""
    return statements.page(HEAD, STATEMENTS)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
