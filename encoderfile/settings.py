"""The only reader of flags and environment: one table of options, one frozen value per command."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from encoderfile.errors import ConfigError
from encoderfile.machine import granted_cores
from encoderfile.types import STRATEGIES

F = TypeVar("F", bound=Callable[..., Any])

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


def option(flag: str, *, help: str, **kwargs: Any) -> Callable[[F], F]:
    """An option of the built file: `--http-port` also reads `ENCODERFILE_HTTP_PORT`, and `--help` shows both."""
    variable = "ENCODERFILE_" + flag.lstrip("-").replace("-", "_").upper()
    if not kwargs.get("is_flag") and kwargs.get("default") is not None:
        kwargs.setdefault("show_default", True)
    return click.option(flag, envvar=variable, show_envvar=True, help=help, **kwargs)


def _a_key(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """A variable that is set and empty is a secret that went missing, not a wish to serve without a key."""
    if value is None and "ENCODERFILE_API_KEY" in os.environ:
        raise ConfigError("ENCODERFILE_API_KEY is empty: give a key or unset it")
    return value


def _a_time(_: click.Context, __: click.Parameter, value: float) -> float:
    if math.isnan(value):
        raise click.BadParameter("nan is no time")  # it is in every range, for it compares with nothing
    return value


def _a_number_or_auto(context: click.Context, parameter: click.Parameter, value: str) -> int | None:
    """None for `auto`."""
    return None if value == "auto" else click.IntRange(min=1)(value, parameter, context)


_DEVICE_OPTIONS = (
    option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", help="Where the model runs."),
    option("--device-id", type=click.IntRange(min=0), default=0, help="Which CUDA device."),
)

_MODEL_OPTIONS = (
    *_DEVICE_OPTIONS,
    option(
        "--threads", type=click.IntRange(min=0), default=0, help="Threads of the model; 0: as many as are granted."
    ),
    option(
        "--instances",
        metavar="auto|N",
        default="auto",
        callback=_a_number_or_auto,
        help="On the CPU, runs at the same time when many requests wait, one thread each; auto: one per thread. More "
        "than one takes a second copy of the packed weights.",
    ),
    option("--no-lanes", is_flag=True, hidden=True, help="The old name of --instances 1."),
    option(
        "--max-batch-tokens",
        type=click.IntRange(min=1),
        help="Padded tokens that run at a time, at most.  [default: 256 to 512 a thread; 16384 on CUDA]",
    ),
    option("--max-queue", type=click.IntRange(min=1), default=16384, help="Texts that wait, at most."),
    option("--max-inputs", type=click.IntRange(min=1), default=4096, help="Texts of one request, at most."),
    option(
        "--overflow",
        type=click.Choice(["truncate", "error"]),
        default="truncate",
        help="What happens to a text longer than the model's limit.",
    ),
    option(
        "--default-prompt",
        metavar="NAME",
        help="The model's prompt that is put before texts of requests that name none, or none.  "
        "[default: as the model's files say]",
    ),
    option("--log-format", type=click.Choice(["text", "json"]), default="text", help="Form of the log on stderr."),
    option(
        "--log-level",
        type=click.Choice(["debug", "info", "warning", "error"]),
        default="info",
        help="How much is logged.",
    ),
)

_HTTP_SAFETY_OPTIONS = (
    option("--cert-file", type=click.Path(path_type=Path), help="Certificate chain (PEM): serve over TLS."),
    option("--key-file", type=click.Path(path_type=Path), help="Private key (PEM) of the certificate."),
    option(
        "--api-key",
        callback=_a_key,
        help="Ask every client for `Authorization: Bearer KEY`; health checks are exempt.",
    ),
    option(
        "--allowed-host",
        multiple=True,
        help="A host name clients may use for /mcp, beside addresses, localhost and this machine's name.",
    ),
    option("--max-body-bytes", type=click.IntRange(min=1), default=4 << 20, help="Size of a request, at most."),
    option(
        "--max-output-values",
        type=click.IntRange(min=1),
        default=1 << 24,
        help="Numbers in one answer, at most: of vectors, logits and scores.",
    ),
    option(
        "--max-connections",
        type=click.IntRange(min=1),
        default=1024,
        help="Connections of each server, at most: one more closes that which has been idle longest.",
    ),
    option(
        "--drain-seconds",
        type=click.FloatRange(min=0),
        default=30.0,
        callback=_a_time,
        help="Time to answer what was accepted.",
    ),
)

_SERVE_OPTIONS = (
    option("--http-hostname", default="0.0.0.0", help="Address of the HTTP server, or unix:PATH."),
    option("--http-port", type=click.IntRange(0, 65535), default=8080, help="Port of the HTTP server."),
    option("--grpc-hostname", default="[::]", help="Address of the gRPC server, or unix:PATH."),
    option("--grpc-port", type=click.IntRange(0, 65535), default=50051, help="Port of the gRPC server."),
    option("--disable-http", is_flag=True, help="Serve no HTTP, and so no MCP."),
    option("--disable-grpc", is_flag=True, help="Serve no gRPC."),
    option("--disable-mcp", is_flag=True, help="Serve no /mcp."),
)


def _decorated(*groups: tuple[Callable[[F], F], ...]) -> Callable[[F], F]:
    def decorate(command: F) -> F:
        for each in reversed([each for group in groups for each in group]):
            command = each(command)
        return command

    return decorate


device_options = _decorated(_DEVICE_OPTIONS)
"""Options of `info`: which device a file would use."""
model_options = _decorated(_MODEL_OPTIONS)
"""Options of every command that runs the model."""
serve_options = _decorated(_SERVE_OPTIONS, _HTTP_SAFETY_OPTIONS, _MODEL_OPTIONS)
"""Options of `serve`."""


class InferCommand(click.Command):
    """`--entities` takes a value only as `--entities=STRATEGY`: what follows it is a text."""

    TAKEN_AS_TEXT = "taken_as_text"
    """In the context's `meta`: a text behind `--entities` that is the name of a strategy."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        end = args.index("--") if "--" in args else len(args)
        for flag, follower in itertools.pairwise(args[:end]):
            if flag == "--entities" and follower in STRATEGIES:
                ctx.meta[self.TAKEN_AS_TEXT] = follower
        bare = ["--entities=simple" if arg == "--entities" else arg for arg in args[:end]]
        return super().parse_args(ctx, bare + args[end:])


INPUT_FORMATS = ("text", "jsonl", "json", "csv", "tsv")
"""The kinds of file that `-i` reads."""

_INPUT_OPTIONS = (
    click.option(
        "--input-format",
        type=click.Choice(INPUT_FORMATS),
        help="What -i is, where its name does not tell: one text a line, JSON Lines, JSON, CSV or TSV with a header.",
    ),
    click.option(
        "--column", help="The field or column with the texts.  [default: text, with text_pair beside it for pairs]"
    ),
)

infer_options = _decorated(
    (
        click.argument("texts", nargs=-1, metavar="TEXT..."),
        click.option(
            "-i",
            "--input",
            "input_file",
            help="A file instead: text, JSON Lines, JSON, CSV or TSV, told by its name; - is stdin.",
        ),
        *_INPUT_OPTIONS,
        click.option("-o", "--output", type=click.Path(path_type=Path), help="A file to write instead of stdout."),
        click.option(
            "-f",
            "--format",
            "form",
            type=click.Choice(["json", "jsonl"]),
            default="json",
            show_default=True,
            help="The whole answer, or one result a line.",
        ),
        click.option("--prompt-name", help="Put this one of the model's own prompts before each text."),
        click.option("--prompt", help="Put this text before each text; empty for none."),
        click.option(
            "--entities",
            type=click.Choice(STRATEGIES),
            metavar="[=STRATEGY]",
            help="Entities instead of token labels, grouped the way that STRATEGY says: "
            f"{', '.join(STRATEGIES)}.  [default: simple]",
        ),
        click.option(
            "--stride",
            type=click.IntRange(min=0),
            help="With --entities: read a text longer than the limit in windows that share so many tokens.",
        ),
    )
)
"""Options of `infer` beside the model's."""
bench_options = _decorated(
    (
        click.option(
            "-i", "--input", "input_file", help="Your own texts: as for `infer`. Left out: 200 built-in ones."
        ),
        *_INPUT_OPTIONS,
    )
)
"""Options of `bench` beside the model's."""


def refuse_unused(context: click.Context, names: Collection[str], reason: str) -> None:
    """Raises `UsageError` for options among `names` that are on the command line and would do nothing.

    Variables may be set for other commands too, and are passed over.
    """
    given = [
        parameter.opts[0]
        for parameter in context.command.params
        if parameter.name in names and context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE
    ]
    if given:
        verb, it = ("does", "it") if len(given) == 1 else ("do", "them")
        raise click.UsageError(f"{', '.join(given)} {verb} nothing {reason}: leave {it} out")


mcp_options = _decorated(
    (
        option("--transport", type=click.Choice(["stdio", "http"]), default="stdio", help="How MCP is spoken."),
        option("--hostname", default="127.0.0.1", help="Address, with --transport http."),
        option("--port", type=click.IntRange(0, 65535), default=9100, help="Port, with --transport http."),
    ),
    _HTTP_SAFETY_OPTIONS,
    _MODEL_OPTIONS,
)
"""Options of `mcp`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """How the model is run. Counts are texts or tokens, as the options say."""

    device: str = "auto"
    device_id: int = 0
    threads: int = 0
    instances: int | None = None
    """Runs at the same time, at most; None: one per thread."""
    no_lanes: bool = False
    """The old name of one instance."""
    max_batch_tokens: int | None = None
    max_queue: int = 16384
    max_inputs: int = 4096
    overflow: str = "truncate"
    default_prompt: str | None = None
    log_format: str = "text"
    log_level: str = "info"

    @property
    def granted_threads(self) -> int:
        """`threads`, or as many as this process may use."""
        return self.threads or granted_cores()

    @property
    def granted_instances(self) -> int:
        """Runs that may go at the same time on the CPU: no more than threads."""
        asked = self.instances or (1 if self.no_lanes else self.granted_threads)
        return min(asked, self.granted_threads)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeSettings(ModelSettings):
    """What `serve` needs."""

    http_hostname: str = "0.0.0.0"
    http_port: int = 8080
    grpc_hostname: str = "[::]"
    grpc_port: int = 50051
    disable_http: bool = False
    disable_grpc: bool = False
    disable_mcp: bool = False
    cert_file: Path | None = None
    key_file: Path | None = None
    api_key: str | None = None
    allowed_host: tuple[str, ...] = ()
    max_body_bytes: int = 4 << 20
    max_output_values: int = 1 << 24
    max_connections: int = 1024
    drain_seconds: float = 30.0
    http_flags: tuple[str, str] = ("--http-hostname", "--http-port")
    """What the command at hand calls the HTTP server's address and port."""

    def __post_init__(self) -> None:
        if self.disable_http and self.disable_grpc:
            raise ConfigError("--disable-http and --disable-grpc together leave nothing to serve: leave one out")
        if (self.cert_file is None) != (self.key_file is None):
            given, missing = ("--cert-file", "--key-file") if self.cert_file else ("--key-file", "--cert-file")
            raise ConfigError(f"{given} is given without {missing}: TLS needs both")
        if self.api_key is not None and not self.api_key.strip():
            raise ConfigError("--api-key is empty: give a key or leave it out")
        if self.api_key is not None and not (self.api_key.isascii() and self.api_key.isprintable()):
            raise ConfigError("--api-key has characters that no header carries: use printable ASCII alone")
        if self.api_key is not None and self.api_key != self.api_key.strip():
            raise ConfigError("--api-key begins or ends with a space, which headers lose: leave it out")
        for path in (self.cert_file, self.key_file):
            if path is not None and not path.is_file():
                raise ConfigError(f"{path} does not exist: give a PEM file")
