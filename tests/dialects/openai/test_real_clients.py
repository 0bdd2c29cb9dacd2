"""OpenAI's own client and LangChain's, unchanged; they run in an environment of their own.

Name a Python that has them in ENCODERFILE_TEST_OPENAI_PYTHON (`pip install openai langchain-openai numpy`).
"""

import pytest

from support.dialects import Sie
from support.external_clients import run_with

VARIABLE = "ENCODERFILE_TEST_OPENAI_PYTHON"


@pytest.mark.proves(
    "SIE POST /v1/embeddings",
    "Works with OpenAI's client and LangChain's",
    here="Token ids are refused: LangChain needs check_embedding_ctx_length=False.",
)
def test_openais_client_embeds_lists_and_reads_errors(dense: Sie) -> None:
    run_with(
        VARIABLE,
        "openai",
        f"""
        import openai
        client = openai.OpenAI(base_url="{dense.url}/v1", api_key="none", max_retries=0)
        both = client.embeddings.create(model="org/dense", input=["a", "b"])
        assert [len(each.embedding) for each in both.data] == [128, 128]
        assert both.usage.prompt_tokens == both.usage.total_tokens == 6
        listed = client.embeddings.create(model="org/dense", input="a", encoding_format="float")
        assert max(abs(x - y) for x, y in zip(both.data[0].embedding, listed.data[0].embedding)) < 1e-4
        assert [model.id for model in client.models.list()] == ["org/dense"]
        try:
            client.embeddings.create(model="other", input="a")
            raise SystemExit("another model was answered")
        except openai.NotFoundError as error:
            assert error.code == "model_not_found"
        try:
            client.embeddings.create(model="org/dense", input="a", dimensions=4)
            raise SystemExit("fewer dimensions were answered")
        except openai.BadRequestError as error:
            assert (error.param, error.code) == ("dimensions", "unsupported_field")
        """,
    )


@pytest.mark.proves("SIE POST /v1/embeddings", "Works with OpenAI's client and LangChain's")
def test_langchain_embeds_documents_and_queries(dense: Sie) -> None:
    run_with(
        VARIABLE,
        "langchain_openai",
        f"""
        from langchain_openai import OpenAIEmbeddings
        embeddings = OpenAIEmbeddings(
            model="org/dense", base_url="{dense.url}/v1", api_key="none", check_embedding_ctx_length=False
        )
        documents = embeddings.embed_documents(["a", "b"])
        query = embeddings.embed_query("a")
        assert [len(each) for each in documents] == [128, 128]
        assert max(abs(x - y) for x, y in zip(documents[0], query)) < 1e-4
        """,
    )


@pytest.mark.parametrize("name", ["openai", "langchain_openai"])
def test_no_client_is_needed_to_serve(name: str) -> None:
    import sys

    assert name not in sys.modules
