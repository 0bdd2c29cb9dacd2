"""What SIE's API page says, as far as it applies to one model in one file, and the tests that prove each point.

`make docs` writes docs/conformance-sie.md from this; a test holds the two together, and that every test exists.
The page is SIE's "HTTP API Reference" of 20 May 2026.
"""

from __future__ import annotations

import sys
from pathlib import Path

# `make docs` runs this file by itself.
sys.path.insert(0, str(Path(__file__).parents[1]))

from support import statements
from support.statements import Statement

PAGE = Path(__file__).parents[2] / "docs" / "conformance-sie.md"

FOLDERS = ("sie", "openai")
"""Below tests/: where the tests stand that the table names."""

HEAD = (
    "# SIE's API, point by point",
    "",
    "Written by `make docs` from `tests/sie/statements.py`. The tests are in `tests/sie` and `tests/openai`;",
    "`encode::` is `test_encode.py`, and so on. What is told apart by several models, bundles or machines in SIE",
    "is told here of the one model in the file.",
)

_SAME = "encode::test_dense_vectors_are_those_of_predict"

STATEMENTS: dict[str, tuple[Statement, ...]] = {
    "Wire format": (
        Statement(
            "Answers are msgpack unless JSON is asked for",
            (
                "wire::test_the_answer_is_msgpack_unless_json_is_asked_for",
                "wire::test_json_is_the_answer_where_json_is_asked_for_and_msgpack_is_not",
            ),
        ),
        Statement(
            "numpy arrays travel in msgpack as they are",
            (
                "wire::test_an_array_is_packed_byte_for_byte_as_clients_expect_it",
                "real_clients::test_msgpack_numpy_decodes_the_answer",
            ),
        ),
        Statement(
            "Requests may be msgpack, by Content-Type",
            ("wire::test_a_request_may_be_msgpack", "wire::test_every_other_request_is_read_as_json"),
        ),
        Statement("In JSON arrays are lists", ("wire::test_json_lists_hold_the_same_numbers_as_msgpack_arrays",)),
    ),
    "POST /v1/encode/:model": (
        Statement(
            "items: required, a list of items with a text; one result each",
            (_SAME, "encode::test_a_body_of_the_wrong_shape_is_refused"),
        ),
        Statement("item.id is echoed", ("encode::test_ids_are_echoed_and_never_invented",)),
        Statement(
            "item.images: images with a format hint",
            ("encode::test_an_image_for_a_text_model_is_told_so",),
            "A text model refuses images with 400; SIE ignores them.",
        ),
        Statement(
            "params.output_types: dense, sparse, multivector; dense when left out",
            (
                "encode::test_dense_is_the_output_when_none_is_named",
                "encode::test_several_outputs_come_in_one_answer",
                "encode::test_an_output_that_the_model_lacks_is_refused",
                "encode::test_an_output_that_nobody_knows_is_refused",
                "encode::test_a_sparse_model_gives_sparse_vectors_when_nothing_is_said",
            ),
            "Left out, a model that gives sparse vectors alone gives those.",
        ),
        Statement(
            "params.instruction: a prefix for the text",
            (
                "encode::test_an_instruction_stands_before_the_text",
                "encode::test_an_instruction_takes_the_place_of_the_models_prompt",
            ),
        ),
        Statement(
            "params.output_dtype: float32, float16, int8, binary; float32 when left out",
            (
                "dtypes::test_a_vector_becomes_the_recorded_numbers",
                "dtypes::test_float16_is_a_cast",
                "dtypes::test_dense_vectors_keep_their_dims_whatever_their_dtype",
                "dtypes::test_multivectors_are_converted_per_token",
                "dtypes::test_sparse_weights_stay_floats",
                "dtypes::test_a_dtype_that_nobody_knows_is_refused",
            ),
        ),
        Statement(
            "params.options: profile, LoRA, runtime options",
            (
                "encode::test_options_that_cannot_be_followed_are_refused",
                "encode::test_options_that_change_nothing_are_taken",
                "encode::test_the_models_own_prompts_are_used_for_queries_and_documents",
                "encode::test_templates_are_filled_in_once",
                "encode::test_vectors_are_normalised_when_asked",
            ),
            "One profile, default, and no LoRA; another is refused with 400.",
        ),
        Statement(
            "The answer has model, items and timing",
            (
                "encode::test_an_answer_has_model_items_and_timing_and_nothing_more",
                "refusals::test_the_times_of_the_body_are_those_of_the_headers",
            ),
        ),
        Statement(
            "dense: dims, dtype, values",
            (_SAME, "encode::test_dense_vectors_of_an_embedding_model_are_its_pooled_token_vectors"),
        ),
        Statement(
            "sparse: dims (the vocabulary), dtype, indices, values",
            (
                "encode::test_sparse_vectors_are_the_weights_of_the_reference",
                "encode::test_sparse_indices_are_int32_in_msgpack",
            ),
        ),
        Statement(
            "multivector: token_dims, num_tokens, dtype, values",
            ("encode::test_multivectors_hold_one_unit_vector_per_token",),
        ),
    ),
    "POST /v1/score/:model": (
        Statement(
            "query and items are required",
            ("score::test_a_body_of_the_wrong_shape_is_refused",),
        ),
        Statement("instruction is optional", ("score::test_an_instruction_stands_before_the_query",)),
        Statement(
            "scores are sorted, best first, rank 0 the most relevant",
            (
                "score::test_all_items_come_back_best_first_with_ranks_from_0",
                "score::test_equal_scores_keep_the_order_of_the_items",
            ),
        ),
        Statement("query_id and item_id are echoed", ("score::test_ids_of_query_and_items_are_echoed",)),
        Statement(
            "score is the relevance by a cross-encoder",
            (
                "score::test_scores_are_the_sigmoid_of_the_logits_of_the_pairs",
                "score::test_a_pair_is_scored_as_the_reference_does",
                "score::test_the_activation_is_the_one_that_the_models_files_name",
                "score::test_only_a_cross_encoder_scores",
            ),
        ),
    ),
    "POST /v1/extract/:model": (
        Statement(
            "items are required; each answer has its id",
            (
                "extract::test_every_item_has_its_id_and_the_five_keys",
                "extract::test_an_item_without_text_is_refused",
            ),
        ),
        Statement(
            "params.labels: entity types",
            (
                "extract::test_labels_let_only_those_entities_through",
                "extract::test_labels_let_only_those_classifications_through",
                "extract::test_without_labels_every_entity_comes",
                "extract::test_a_label_that_the_model_lacks_finds_nothing",
            ),
            "The model has its own labels, so these filter; they may be left out.",
        ),
        Statement(
            "params.output_schema: structured extraction",
            ("extract::test_params_that_cannot_be_followed_are_refused",),
            "No model here fills a schema: 400.",
        ),
        Statement(
            "options.overflow_policy: default, truncate_text, error; INPUT_TOO_LONG",
            (
                "extract::test_a_long_text_is_cut_unless_told_otherwise",
                "extract::test_a_long_text_is_refused_when_asked_for",
                "extract::test_the_servers_overflow_is_the_default_policy",
                "extract::test_params_that_cannot_be_followed_are_refused",
            ),
            "default is what `--overflow` says.",
        ),
        Statement(
            "entities: text, label, score, start, end, bbox",
            (
                "extract::test_entities_are_spans_of_the_text",
                "extract::test_entities_are_those_of_the_reference_pipeline",
            ),
        ),
        Statement(
            "classifications: label, score",
            ("extract::test_classifications_hold_every_label_best_first",),
        ),
        Statement(
            "relations, objects, data",
            ("extract::test_every_item_has_its_id_and_the_five_keys",),
            "Always empty: no such models here.",
        ),
    ),
    "GET /v1/models": (
        Statement(
            "name, inputs, outputs, dims, loaded, max_sequence_length, profiles",
            ("models::test_the_list_says_what_the_model_takes_and_gives",),
        ),
        Statement("One model by its name", ("models::test_one_model_is_the_entry_of_the_list",)),
        Statement("Names with a slash", ("models::test_the_models_id_may_be_spelled_in_several_ways",)),
    ),
    "POST /v1/embeddings": (
        Statement("OpenAI's request and answer", ("embeddings::test_an_answer_has_openais_shape",)),
        Statement(
            "usage",
            ("embeddings::test_usage_counts_the_models_own_tokens",),
            "True token counts; SIE estimates them from characters.",
        ),
        Statement(
            "Works with OpenAI's client and LangChain's",
            (
                "real_clients::test_openais_client_embeds_lists_and_reads_errors",
                "real_clients::test_langchain_embeds_documents_and_queries",
                "embeddings::test_token_ids_are_refused_with_the_switch_of_the_client",
            ),
            "Token ids are refused: LangChain needs check_embedding_ctx_length=False.",
        ),
    ),
    "Health": (
        Statement("/healthz: 200 when the process runs", ("refusals::test_probes_say_ok_in_plain_text",)),
        Statement(
            "/readyz: 200 when requests are taken",
            (
                "refusals::test_probes_say_ok_in_plain_text",
                "refusals::test_a_server_that_stops_refuses_and_is_not_ready_but_alive",
            ),
        ),
    ),
    "GET /metrics": (
        Statement(
            "sie_requests_total by model, endpoint, status",
            (
                "metrics::test_requests_are_counted_by_endpoint_and_outcome",
                "metrics::test_the_other_ways_in_are_counted_too",
            ),
        ),
        Statement(
            "sie_request_duration_seconds by model, endpoint, phase",
            ("metrics::test_time_is_recorded_for_every_phase",),
        ),
        Statement(
            "sie_batch_size, sie_tokens_processed_total",
            ("metrics::test_tokens_batches_and_cut_texts_are_recorded",),
        ),
        Statement("sie_queue_depth", ("metrics::test_waiting_texts_are_the_depth_of_the_queue",)),
        Statement("sie_model_loaded", ("metrics::test_a_model_is_loaded_until_the_server_stops",)),
        Statement(
            "sie_model_memory_bytes",
            ("metrics::test_the_models_size_is_that_of_graph_and_weights",),
            "The size of graph and weights, on whichever device.",
        ),
    ),
    "WebSocket /ws/status": (
        Statement(
            "A frame at once, then one every 200 ms",
            (
                "status::test_frames_follow_each_other_with_later_times",
                "status::test_many_watchers_share_one_frame",
            ),
        ),
        Statement(
            "The fields of a frame",
            ("status::test_a_frame_has_every_field_of_the_page",),
            "gpus is empty: this file measures no GPU. user and working_dir are empty: they are nobody's business.",
        ),
    ),
    "Errors": (
        Statement(
            "One shape: detail with code and message",
            ("refusals::test_routes_that_are_not_there_are_refused_in_the_same_shape",),
            "A second `code` stands beside `detail`, for the TypeScript client.",
        ),
        Statement("MODEL_NOT_FOUND, 404", ("models::test_another_model_is_not_found",)),
        Statement("INVALID_INPUT, 400", ("encode::test_a_body_of_the_wrong_shape_is_refused",)),
        Statement("INPUT_TOO_LONG, 400", ("extract::test_a_long_text_is_refused_when_asked_for",)),
        Statement(
            "MODEL_NOT_LOADED, 503",
            ("refusals::test_a_server_that_stops_refuses_and_is_not_ready_but_alive",),
            "Only while the server stops: the port opens when the model is loaded.",
        ),
        Statement(
            "LORA_LOADING, 503, and DEPENDENCY_CONFLICT, 409",
            ("encode::test_options_that_cannot_be_followed_are_refused",),
            "Never: there is nothing to load.",
        ),
        Statement("QUEUE_FULL, 503", ("refusals::test_a_full_queue_is_queue_full_and_says_when_to_return",)),
        Statement(
            "INFERENCE_ERROR, 500",
            (
                "refusals::test_a_model_that_fails_is_an_inference_error_without_details",
                "refusals::test_an_answer_that_is_no_number_is_an_inference_error",
            ),
        ),
        Statement(
            "INTERNAL_ERROR, 500",
            ("refusals::test_every_dialect_has_a_word_for_every_kind_of_failure",),
        ),
    ),
    "Response headers": (
        Statement(
            "X-Total-Time, X-Queue-Time, X-Tokenization-Time, X-Inference-Time",
            ("refusals::test_answers_say_how_long_each_step_took",),
        ),
        Statement(
            "X-Postprocessing-Time, only if above 0",
            (
                "refusals::test_the_times_of_the_body_are_those_of_the_headers",
                "refusals::test_no_time_is_told_of_postprocessing_that_was_none",
            ),
        ),
        Statement(
            "X-Trace-ID",
            (
                "refusals::test_the_callers_trace_is_passed_on",
                "refusals::test_without_a_valid_trace_a_new_one_begins",
            ),
            "On every answer; traces are not exported.",
        ),
    ),
}


def page() -> str:
    """The whole page."""
    return statements.page(HEAD, STATEMENTS)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
