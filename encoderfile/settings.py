"""The only reader of a built file's flags and environment: what each command may be told, and what it then gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, ClassVar

import click

from encoderfile.errors import ConfigError
from encoderfile.flag_values import (
    a_key,
    a_log_format,
    a_number_or_auto,
    a_root_path,
    a_time,
    check_key,
    origins,
    read_key,
)
from encoderfile.machine import granted_cores
from encoderfile.options import option, switch
from encoderfile.types import STRATEGIES, AskedPrompt

INPUT_FORMATS = ("text", "jsonl", "json", "csv", "tsv")
"""The kinds of file that `-i` reads."""

AGENTS = ("claude-desktop", "claude-code", "cursor", "vscode", "mcpb", "server-json")
"""What `mcp --print-config` prints for: clients, a bundle, the registry of MCP servers."""

_AT_LEAST_0, _AT_LEAST_1 = click.IntRange(min=0), click.IntRange(min=1)
_PORT = click.IntRange(0, 65535)
_PATH = click.Path(path_type=Path)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """How the model is run. Counts are texts or tokens, as the options say."""

    section: ClassVar = "Model and log"
    """Title of these options in the help."""

    device: str = option("auto", type=click.Choice(["auto", "cpu", "cuda"]), help="Where the model runs.")
    device_id: int = option(0, type=_AT_LEAST_0, help="Which CUDA device.")
    threads: int = option(0, type=_AT_LEAST_0, help="Threads that run the model; 0 = all available cores.")
    instances: int | None = option(
        metavar="auto|N",
        callback=a_number_or_auto,
        help="Maximum runs of one thread each at the same time, on the CPU when many texts wait; auto = one per "
        "thread. More than one takes a second copy of the packed weights.  [default: auto]",
    )
    no_lanes: bool = switch(hidden=True, help="The old name of --instances 1.")
    max_batch_tokens: int | None = option(
        type=_AT_LEAST_1,
        help="Maximum padded tokens that run at the same time.  [default: 256 to 512 per thread; 16384 on CUDA]",
    )
    max_queue: int = option(16384, type=_AT_LEAST_1, help="Maximum texts waiting in the queue.")
    max_inputs: int = option(4096, type=_AT_LEAST_1, help="Maximum texts per request.")
    overflow: str = option(
        "truncate",
        type=click.Choice(["truncate", "error"]),
        help="What happens to a text longer than the model's limit.",
    )
    default_prompt: str | None = option(
        metavar="NAME",
        help="The model's prompt for requests that name none; none = no prompt.  [default: as the model's files say]",
    )
    log_format: str = option("text", type=click.Choice(["text", "json"]), help="Format of the log on stderr.")
    log_level: str = option(
        "info", type=click.Choice(["debug", "info", "warning", "error"]), help="Lowest level that is logged."
    )

    @property
    def granted_threads(self) -> int:
        """`threads`, or as many as this process may use."""
        return self.threads or granted_cores()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings(ModelSettings):
    """What every server needs beside the model."""

    section: ClassVar = "Server"

    cert_file: Path | None = option(type=_PATH, help="Certificate chain (PEM), to serve over TLS.")
    key_file: Path | None = option(type=_PATH, help="Private key (PEM) of the certificate.")
    api_key: str | None = option(
        callback=a_key,
        help="Require `Authorization: Bearer KEY` from every client; health checks are exempt.",
    )
    api_key_file: Path | None = option(
        type=_PATH, help="Read the key from a file at start, instead of --api-key: a secret that is mounted."
    )
    allowed_host: tuple[str, ...] = option(
        (),
        multiple=True,
        help="Another host name that clients may use, besides addresses, localhost and this machine's name; * for "
        "any. Checked for /mcp, and for every route when the server listens on loopback only.  [repeatable]",
    )
    cors_origin: tuple[str, ...] = option(
        (),
        multiple=True,
        metavar="ORIGIN",
        callback=origins,
        help="An origin (https://app.example.com) whose web pages may call this server; * for any.  [repeatable]",
    )
    root_path: str = option(
        "",
        metavar="PATH",
        callback=a_root_path,
        help="Path under which a proxy answers for this server (/models/minilm), whether or not it takes it away.",
    )
    access_log: str | None = option(
        is_flag=False,
        flag_value="on",
        metavar="[text|json]",
        callback=a_log_format,
        help="Log every request on stderr, as text or JSON; without a value as --log-format says. Health checks that "
        "succeed are left out unless --log-level is debug.",
    )
    max_body_bytes: int = option(4 << 20, type=_AT_LEAST_1, help="Maximum size of a request.")
    max_output_values: int = option(
        1 << 24, type=_AT_LEAST_1, help="Maximum numbers in one answer: in vectors, logits and scores."
    )
    served_name: tuple[str, ...] = option(
        (),
        multiple=True,
        metavar="NAME",
        help="Another name that clients may send as the model.  [repeatable]",
    )
    allow_dimensions: bool = switch(
        help="Let clients ask for fewer dimensions of any model, whether or not it is made for that."
    )
    max_connections: int = option(
        1024,
        type=_AT_LEAST_1,
        help="Maximum connections of each server; a further one closes the one that has been idle longest.",
    )
    drain_seconds: float = option(
        30.0,
        type=click.FloatRange(min=0),
        callback=a_time,
        help="Maximum time to answer accepted requests after SIGTERM or Ctrl-C.",
    )

    @property
    def access_log_format(self) -> str | None:
        """The form of the access log; None: there is none."""
        return self.log_format if self.access_log == "on" else self.access_log


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeSettings(ServerSettings):
    """What `serve` needs."""

    section: ClassVar = "What is served, and where"

    http_hostname: str = option("0.0.0.0", help="Address of the HTTP server, or unix:PATH.")
    http_port: int = option(8080, type=_PORT, help="Port of the HTTP server.")
    grpc_hostname: str = option("[::]", help="Address of the gRPC server, or unix:PATH.")
    grpc_port: int = option(50051, type=_PORT, help="Port of the gRPC server.")
    metrics_port: int | None = option(
        type=_PORT,
        help="Serve /metrics and the health checks on a port of their own, without a key, and /metrics only there.",
    )
    metrics_hostname: str | None = option(help="Address of that port.  [default: as --http-hostname]")
    disable_http: bool = switch(help="Do not serve HTTP, nor MCP.")
    disable_grpc: bool = switch(help="Do not serve gRPC.")
    disable_mcp: bool = switch(help="Do not serve /mcp.")
    enable_otel: bool = switch(
        help="Send traces by OTLP, over gRPC unless OTEL_* variables say otherwise; they ask for traces too."
    )
    otel_exporter_url: str | None = option(
        metavar="URL", help="The collector.  [default: as OTEL_* say, http://localhost:4317]"
    )
    disable_ui: bool = switch(help="Do not serve the page for people at / and /ui, nor /docs.")
    http_flags: tuple[str, str] = ("--http-hostname", "--http-port")
    """What the command at hand calls the HTTP server's address and port."""

    @property
    def for_metrics(self) -> ServeSettings:
        """The same for the server of metrics alone."""
        shared = "127.0.0.1" if self.http_hostname.startswith("unix:") else self.http_hostname
        return replace(
            self,
            http_hostname=self.metrics_hostname or shared,
            http_port=self.metrics_port or 0,
            http_flags=("--metrics-hostname", "--metrics-port"),
        )

    def __post_init__(self) -> None:
        if self.api_key_file is not None:
            key = read_key(self.api_key_file)
            if self.api_key not in (None, key):
                raise ConfigError("--api-key and --api-key-file give two keys: leave one out")
            object.__setattr__(self, "api_key", key)
            object.__setattr__(self, "api_key_file", None)  # so that a copy does not read it again
        if self.disable_http and self.disable_grpc:
            raise ConfigError("--disable-http and --disable-grpc together leave nothing to serve: leave one out")
        if (self.cert_file is None) != (self.key_file is None):
            given, missing = ("--cert-file", "--key-file") if self.cert_file else ("--key-file", "--cert-file")
            raise ConfigError(f"{given} is given without {missing}: TLS needs both")
        if self.api_key is not None:
            check_key(self.api_key)
        for path in (self.cert_file, self.key_file):
            if path is not None and not path.is_file():
                raise ConfigError(f"{path} does not exist: give a PEM file")


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthSettings:
    """What `health` needs beside the addresses of the server."""

    timeout: float = option(
        2.0,
        variable=False,
        metavar="SECONDS",
        type=click.FloatRange(min=0, min_open=True),
        callback=a_time,
        help="Maximum time for the server to answer.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class McpSettings(ServerSettings):
    """What `mcp` needs."""

    section: ClassVar = "Transport"

    transport: str = option(
        "stdio", type=click.Choice(["stdio", "http"]), help="Speak MCP over stdin and stdout, or over HTTP."
    )
    hostname: str = option("127.0.0.1", help="Address, with --transport http.")
    port: int = option(9100, type=_PORT, help="Port, with --transport http.")

    def over_http(self) -> ServeSettings:
        """The same for a server of MCP alone. Raises `ConfigError` where they contradict each other."""
        return ServeSettings(
            http_hostname=self.hostname,
            http_port=self.port,
            disable_grpc=True,
            http_flags=("--hostname", "--port"),
            **{each.name: getattr(self, each.name) for each in fields(ServerSettings)},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSettings(ModelSettings):
    """Which texts `infer` and `bench` read."""

    section: ClassVar = "Texts"

    input_file: str | None = option(
        None,
        "-i",
        "--input",
        variable=False,
        metavar="FILE",
        help="Read the texts from a file: text, JSON Lines, JSON, CSV or TSV, as its name says; - is stdin.",
    )
    input_format: str | None = option(
        variable=False,
        type=click.Choice(INPUT_FORMATS),
        help="Format of the file, when its name does not tell: one text per line, JSON Lines, JSON, CSV or TSV "
        "with a header.",
    )
    column: str | None = option(
        variable=False, help="The field or column with the texts.  [default: text, and text_pair for pairs]"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class InferSettings(InputSettings):
    """What `infer` needs beside its texts."""

    section: ClassVar = "Answer"

    output: Path | None = option(
        None, "-o", "--output", "--out-dir", variable=False, type=_PATH, help="Write to a file instead of stdout."
    )
    form: str | None = option(
        None,
        "-f",
        "--format",
        variable=False,
        type=click.Choice(["table", "json", "jsonl"]),
        help="A table for eyes, the whole answer as JSON, or one result per line.  [default: table on a terminal, "
        "json elsewhere]",
    )
    prompt_name: str | None = option(variable=False, help="Put this one of the model's own prompts before each text.")
    prompt: str | None = option(variable=False, help="Put this text before each text; empty for none.")
    entities: str | None = option(
        variable=False,
        type=click.Choice(STRATEGIES),
        metavar="[=STRATEGY]",
        help="Return entities instead of token labels, with tokens grouped by STRATEGY: "
        f"{', '.join(STRATEGIES)}.  [default: simple]",
    )
    stride: int | None = option(
        variable=False,
        type=_AT_LEAST_0,
        help="With --entities: read texts longer than the limit in windows that overlap by this many tokens.",
    )
    request: Mapping[str, Any] = field(default_factory=dict)
    """Options of the request that model types add, those that were given."""

    @property
    def asked_prompt(self) -> AskedPrompt:
        """What `prompt_name` and `prompt` ask for."""
        return AskedPrompt(self.prompt_name, self.prompt)
