"""Writes docs/what-is-inside.md from the SBOM of a frozen CPU runtime. Run by `make docs`.

Every part needs a reason here: a test compares the reasons with what a built file says of itself.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from encoderfile.builder.runtimes.cache import cache_folder
from encoderfile.builder.runtimes.cache import runtime as frozen_runtime
from encoderfile.pack import SBOM_PATH, read

PAGE = Path(__file__).with_name("what-is-inside.md")

REASONS = {
    "python": "runs everything",
    "annotated-types": "pydantic needs it",
    "anyio": "the MCP SDK and starlette run on it",
    "certifi": "requests needs it; the machine's own certificates are used",
    "charset-normalizer": "requests needs it",
    "click": "the command line",
    "glibc": "the C library and loader, so that the host's do not matter",
    "googleapis-common-protos": "the OTLP exporters' messages for errors",
    "grpcio": "gRPC",
    "grpcio-health-checking": "gRPC's health service",
    "grpcio-reflection": "gRPC's reflection service",
    "h11": "wsproto needs it",
    "httptools": "parses HTTP in C",
    "idna": "anyio needs it",
    "libdeflate": "the launcher decompresses the runtime with it",
    "mcp": "the official MCP SDK",
    "mcp-types": "the MCP SDK's messages",
    "msgpack": "the SIE dialect's answers",
    "msgspec": "the shapes of requests: reading, checking, JSON Schema",
    "musl": "the launcher's C library",
    "numpy": "arrays between session and wire",
    "onnxruntime": "runs the graph",
    "onnxruntime-gpu": "runs the graph; without its CUDA part in CPU files",
    "opentelemetry-api": "traces, if they are asked for; the MCP SDK imports it",
    "opentelemetry-exporter-http-transport": "sends traces over HTTP",
    "opentelemetry-exporter-otlp-common": "the OTLP exporters share it",
    "opentelemetry-exporter-otlp-proto-common": "spans as OTLP's messages",
    "opentelemetry-exporter-otlp-proto-grpc": "sends traces over gRPC",
    "opentelemetry-exporter-otlp-proto-http": "sends traces over HTTP",
    "opentelemetry-proto": "OTLP's messages",
    "opentelemetry-sdk": "traces",
    "opentelemetry-semantic-conventions": "the SDK's names of attributes",
    "orjson": "writes JSON straight from float32",
    "protobuf": "gRPC's messages",
    "pydantic": "the MCP SDK's validation",
    "pydantic_core": "pydantic's core",
    "python-multipart": "the MCP SDK imports it",
    "requests": "sends traces over HTTP",
    "sse-starlette": "the MCP SDK imports it",
    "starlette": "HTTP routes",
    "tokenizers": "texts to token ids",
    "typing-inspection": "pydantic needs it",
    "typing_extensions": "pydantic and starlette need it",
    "urllib3": "requests needs it",
    "uvicorn": "the HTTP server",
    "wsproto": "frames of /ws/status",
    "zig": "compiles the launcher, and adds functions of its own",
}
"""Why each package is there. System libraries (`lib*.so*`) come with Python's own modules and with wheels."""

_HEAD = """\
# What is inside a file

Written by `make docs` from the list that every file carries: `./my-model.encoderfile info --sbom` prints yours
(CycloneDX 1.6, JSON), `encoderfile build --sbom FILE` writes it. Sizes are before packing; a CPU runtime
packs into {packed:.1f} MB. Versions are those of the machine that wrote this page.

{table}
The launcher in front of the file (110 KB, `build/launcher/`) is ours. Compiled into it are libdeflate, musl and a few
functions of its compiler, Zig; their licence texts are in the list.

## Why each package is there

{reasons}
"""


def packages(document: dict[str, Any]) -> list[str]:
    """The names of the packages in an SBOM: what somebody chose to put in."""
    return [each["name"] for each in document["components"] if "version" in each and ".so" not in each["name"]]


def table(document: dict[str, Any]) -> str:
    """The list of parts as a Markdown table; what is compiled into the launcher has no size of its own."""
    lines = ["| what | version | licence | KB |", "|---|---|---|---|"]
    for component in document["components"]:
        licences = " ".join(
            each.get("expression") or each["license"].get("id") or each["license"]["name"]
            for each in component.get("licenses", [])
        )
        properties = {each["name"]: each["value"] for each in component.get("properties", [])}
        size = int(properties["encoderfile:bytes"]) // 1000 if properties else ""
        lines.append(f"| {component['name']} | {component.get('version', '')} | {licences} | {size} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Freezes, or takes from the cache, the CPU runtime and writes the page."""
    runtime = frozen_runtime("cpu", cache_folder(None), lambda line: print(line, file=sys.stderr))
    document = json.loads(read(runtime.pack, SBOM_PATH))
    reasons = "\n".join(f"- `{name}`: {REASONS[name]}" for name in packages(document))
    page = _HEAD.format(packed=runtime.pack.length / 1e6, table=table(document), reasons=reasons)
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
