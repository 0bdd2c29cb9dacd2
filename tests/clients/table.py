"""The clients that are run, and the built file each of them talks to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Client:
    """One script, and the package of another project that it shows."""

    script: str
    """Where it is, from this folder."""
    package: str
    """The package, as its registry calls it."""
    shows: str
    """What it does, for the page."""
    serves: str = "embed"
    """The file that is served."""
    flags: tuple[str, ...] = ()
    """What `serve` needs to be told."""
    over: str = "http"
    """What it is told: where the file answers by `http` or by `grpc`, or for `stdio` where the file is."""
    refused: str = ""
    """For a client that asks for what the model cannot do: what it is told that the model can."""

    @property
    def path(self) -> Path:
        return HERE / self.script

    @property
    def source(self) -> Path:
        return self.path / "main.go" if self.language == "go" else self.path

    @property
    def language(self) -> str:
        return self.script.partition("/")[0]

    @property
    def version(self) -> str:
        """The version that is pinned; `any` of a tool that machines have."""
        if self.language == "python":
            return _only(rf"^{re.escape(self.package)}==(\S+)", self.path.with_name("requirements.txt"))
        if self.language == "java":
            return _only(
                rf"<artifactId>{self.package}</artifactId>\s*<version>(\S+)</version>", HERE / "java/pom.xml"
            )
        if self.language == "go" or self.package.startswith("github.com/"):
            return _only(rf"^\s*{re.escape(self.package)} v(\S+)", HERE / "go/go.mod")
        if self.package == "curl":
            return "any"
        return _only(rf'^    "{re.escape(self.package)}": "(\S+)",?$', HERE / "javascript/package.json")

    @property
    def setup(self) -> str:
        """The lines that configure it: those behind the comment `Setup`, up to an empty one."""
        lines = re.split(r"^[ \t]*(?:#|//) Setup\n", self.source.read_text(), flags=re.MULTILINE)[1].splitlines()
        found = lines[: lines.index("")] if "" in lines else lines
        margin = min(len(line) - len(line.lstrip()) for line in found)
        return "\n".join(line[margin:] for line in found)


def _only(pattern: str, path: Path) -> str:
    [found] = re.findall(pattern, path.read_text(), re.MULTILINE)
    return str(found)


COHERE_NAME = ("--served-name", "embed-v4.0")
NAMED_RERANK = ("--served-name", "rerank")

CLIENTS = [
    Client("python/sdk/openai_embed.py", "openai", "embeddings"),
    Client("python/sdk/openai_dimensions.py", "openai", "`dimensions`", flags=("--allow-dimensions",)),
    Client("python/sdk/openai_token_ids.py", "openai", "token ids"),
    Client("python/sdk/cohere_embed.py", "cohere", "embeddings"),
    Client("python/sdk/cohere_rerank.py", "cohere", "reranking", "rerank"),
    Client("python/sdk/cohere_rerank.py", "cohere", "reranking by BGE-M3", "bge-m3", flags=NAMED_RERANK),
    Client("python/sdk/cohere_rerank.py", "cohere", "reranking by ColBERT", "colbert", flags=NAMED_RERANK),
    Client("python/sdk/ollama_embed.py", "ollama", "embeddings"),
    Client("python/sdk/voyage_embed.py", "voyageai", "embeddings"),
    Client("python/sdk/voyage_rerank.py", "voyageai", "reranking", "rerank"),
    Client("python/sdk/infinity_embed.py", "infinity-client", "embeddings"),
    Client("python/sdk/infinity_rerank.py", "infinity-client", "reranking", "rerank"),
    Client("python/sdk/infinity_classify.py", "infinity-client", "classification", "sentiment"),
    Client("python/sdk/xinference_embed.py", "xinference-client", "embeddings"),
    Client("python/sdk/xinference_rerank.py", "xinference-client", "reranking", "rerank"),
    Client("python/sdk/huggingface_hub_embed.py", "huggingface-hub", "embeddings, similarities"),
    Client("python/sdk/huggingface_hub_classify.py", "huggingface-hub", "classification", "sentiment"),
    Client("python/sdk/huggingface_hub_entities.py", "huggingface-hub", "entities", "ner"),
    Client("python/sdk/huggingface_hub_topics.py", "huggingface-hub", "labels of the request", "topics"),
    Client("python/sdk/mcp_call.py", "mcp", "tools"),
    Client("python/sdk/mcp_entities.py", "mcp", "entities of the request's kinds", "gliner"),
    Client("python/stubs/grpc_predict.py", "grpcio", "stubs, reflection, health", over="grpc"),
    Client("python/langchain/openai_embed.py", "langchain-openai", "embeddings"),
    Client("python/langchain/cohere_embed.py", "langchain-cohere", "embeddings"),
    Client("python/langchain/cohere_rerank.py", "langchain-cohere", "reranking", "rerank"),
    Client("python/langchain/ollama_embed.py", "langchain-ollama", "embeddings"),
    Client("python/langchain/infinity_embed.py", "langchain-community", "embeddings"),
    Client("python/langchain/infinity_rerank.py", "langchain-community", "reranking", "rerank"),
    Client("python/langchain/jina_rerank.py", "langchain-community", "reranking", "rerank"),
    Client("python/llamaindex/openai_embed.py", "llama-index-embeddings-openai", "embeddings"),
    Client("python/llamaindex/openai_like_embed.py", "llama-index-embeddings-openai-like", "embeddings"),
    Client("python/llamaindex/tei_embed.py", "llama-index-embeddings-text-embeddings-inference", "embeddings"),
    Client("python/llamaindex/cohere_embed.py", "llama-index-embeddings-cohere", "embeddings", flags=COHERE_NAME),
    Client("python/llamaindex/ollama_embed.py", "llama-index-embeddings-ollama", "embeddings"),
    Client("python/llamaindex/tei_rerank.py", "llama-index-postprocessor-tei-rerank", "reranking", "rerank"),
    Client("python/llamaindex/cohere_rerank.py", "llama-index-postprocessor-cohere-rerank", "reranking", "rerank"),
    Client("python/llamaindex/jina_rerank.py", "llama-index-postprocessor-jinaai-rerank", "reranking", "rerank"),
    Client("python/haystack/openai_embed.py", "haystack-ai", "embeddings"),
    Client("python/haystack/tei_embed.py", "huggingface-api-haystack", "embeddings"),
    Client("python/haystack/tei_sparse.py", "huggingface-api-haystack", "sparse embeddings", "splade"),
    Client("python/haystack/tei_rerank.py", "huggingface-api-haystack", "reranking", "rerank"),
    Client("python/haystack/cohere_embed.py", "cohere-haystack", "embeddings"),
    Client("python/haystack/cohere_rerank.py", "cohere-haystack", "reranking", "rerank"),
    Client("python/haystack/ollama_embed.py", "ollama-haystack", "embeddings"),
    Client("python/haystack/jina_embed.py", "jina-haystack", "embeddings"),
    Client("python/haystack/jina_rerank.py", "jina-haystack", "reranking", "rerank"),
    *(
        Client(f"python/litellm/{provider}_embed.py", "litellm", "embeddings")
        for provider in ("openai", "cohere", "infinity", "huggingface", "ollama", "jina", "voyage")
    ),
    *(
        Client(f"python/litellm/{provider}_rerank.py", "litellm", "reranking", "rerank")
        for provider in ("cohere", "infinity", "huggingface", "jina", "voyage", "hosted_vllm")
    ),
    *(
        Client(f"python/stores/chroma_{server}_embed.py", "chromadb", "embeddings")
        for server in ("openai", "cohere", "ollama", "tei")
    ),
    Client("python/stores/dspy_embed.py", "dspy", "embeddings"),
    Client("python/stores/pydantic_ai_openai_embed.py", "pydantic-ai-slim", "embeddings"),
    Client("python/stores/pydantic_ai_cohere_embed.py", "pydantic-ai-slim", "embeddings"),
    Client("javascript/openai_embed.mjs", "openai", "embeddings"),
    Client("javascript/cohere_embed.mjs", "cohere-ai", "embeddings"),
    Client("javascript/cohere_rerank.mjs", "cohere-ai", "reranking", "rerank"),
    Client("javascript/ollama_embed.mjs", "ollama", "embeddings"),
    Client("javascript/huggingface_embed.mjs", "@huggingface/inference", "embeddings, similarities"),
    Client("javascript/huggingface_classify.mjs", "@huggingface/inference", "classification", "sentiment"),
    Client("javascript/huggingface_entities.mjs", "@huggingface/inference", "entities", "ner"),
    Client("javascript/langchain_openai_embed.mjs", "@langchain/openai", "embeddings"),
    Client("javascript/langchain_cohere_embed.mjs", "@langchain/cohere", "embeddings"),
    Client("javascript/langchain_cohere_rerank.mjs", "@langchain/cohere", "reranking", "rerank"),
    Client("javascript/langchain_ollama_embed.mjs", "@langchain/ollama", "embeddings"),
    Client("javascript/ai_openai_embed.mjs", "@ai-sdk/openai-compatible", "embeddings"),
    Client("javascript/ai_cohere_embed.mjs", "@ai-sdk/cohere", "embeddings"),
    Client("javascript/ai_cohere_rerank.mjs", "@ai-sdk/cohere", "reranking", "rerank"),
    Client("javascript/mcp_call.mjs", "@modelcontextprotocol/sdk", "tools"),
    Client("javascript/grpc_predict.mjs", "@grpc/grpc-js", "messages of `proto/`", over="grpc"),
    Client("go/openai_embed", "github.com/openai/openai-go/v3", "embeddings"),
    Client("go/go_openai_embed", "github.com/sashabaranov/go-openai", "embeddings"),
    Client("go/ollama_embed", "github.com/ollama/ollama", "embeddings"),
    Client("go/cohere_embed", "github.com/cohere-ai/cohere-go/v2", "embeddings"),
    Client("go/cohere_rerank", "github.com/cohere-ai/cohere-go/v2", "reranking", "rerank"),
    Client("go/grpc_predict", "google.golang.org/grpc", "stubs, health", over="grpc"),
    Client("java/OpenAiEmbed.java", "langchain4j-open-ai", "embeddings"),
    Client("java/OllamaEmbed.java", "langchain4j-ollama", "embeddings"),
    Client("java/CohereEmbed.java", "langchain4j-cohere", "embeddings"),
    Client("java/CohereRerank.java", "langchain4j-cohere", "reranking", "rerank"),
    Client("shell/curl_embed.sh", "curl", "embeddings"),
    Client("shell/grpcurl_predict.sh", "github.com/fullstorydev/grpcurl", "reflection, health", over="grpc"),
    Client("shell/mcp-inspector_http.sh", "@modelcontextprotocol/inspector", "tools over HTTP"),
    Client("shell/mcp-inspector_stdio.sh", "@modelcontextprotocol/inspector", "tools over stdio", over="stdio"),
]

_LABELS = "does not support dense embeddings: it gives labels"

REFUSED = [
    Client("python/sdk/openai_refused.py", "openai", "embeddings", "sentiment", refused=_LABELS),
    Client(
        "python/langchain/openai_refused.py",
        "langchain-openai",
        "its defaults",
        refused="in LangChain that is OpenAIEmbeddings(..., check_embedding_ctx_length=False)",
    ),
    Client("python/sdk/cohere_refused.py", "cohere", "embeddings", "sentiment", refused=_LABELS),
    Client("python/sdk/ollama_refused.py", "ollama", "embeddings", "sentiment", refused=_LABELS),
    Client("python/sdk/voyage_refused.py", "voyageai", "embeddings", "sentiment", refused=_LABELS),
    Client(
        "python/sdk/huggingface_hub_refused.py",
        "huggingface-hub",
        "similarities",
        "sentiment",
        refused="does not support similarity: it gives labels",
    ),
    Client("python/haystack/tei_refused.py", "huggingface-api-haystack", "reranking", refused="this one gives dense"),
    Client(
        "python/sdk/infinity_refused.py",
        "infinity-client",
        "classification",
        refused="is no classifier of texts: it gives one vector per text",
    ),
    Client("python/sdk/mcp_refused.py", "mcp", "a tool of other models", "sentiment", refused="run_encoder"),
    Client(
        "python/stubs/grpc_refused.py",
        "grpcio",
        "embeddings",
        "sentiment",
        over="grpc",
        refused="this model has the service encoderfile.SequenceClassification: for each text the predicted label",
    ),
]
"""What asks for what the model cannot do."""
