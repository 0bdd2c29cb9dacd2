"""The command line of a built file: `serve`, `infer`, `mcp`, `info`."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

import encoderfile
from encoderfile.console import explain, printable
from encoderfile.container import Container
from encoderfile.errors import ConfigError
from encoderfile.options import CONTEXT, InSections, given_again, options, refuse_unused
from encoderfile.progress import Progress
from encoderfile.runtime import cuda_libraries, logs, process
from encoderfile.runtime.former_flags import onnx_flags
from encoderfile.runtime.help import BuiltFile
from encoderfile.runtime.request_flags import Infer, flags
from encoderfile.service import threads
from encoderfile.settings import (
    AGENTS,
    HealthSettings,
    InferSettings,
    InputSettings,
    McpSettings,
    ModelSettings,
    ServerSettings,
    ServeSettings,
)
from encoderfile.terminal import Screen, is_terminal
from encoderfile.types import Text

log = logging.getLogger(__name__)

_THREADS, _THREADS_A_CORE = 12, 6
"""What serving takes: 18 threads were counted with two cores, and gRPC takes more when it has much to do."""


def main(executable: Path) -> None:
    """Runs the command line and ends the process: 0 done, 1 failure, 2 wrong usage, 130 Ctrl-C of a command."""
    process.take_name(executable.name)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        if sys.stdout is None and "serve" not in sys.argv:
            raise ConfigError("stdout is closed, and the result would be lost: open it, or use -o FILE")
        code = cli.main(
            args=sys.argv[1:],
            prog_name=printable(executable.name),
            # One name for every file: click would make one of the file's, which may hold what a variable may not.
            complete_var="_ENCODERFILE_COMPLETE",
            obj=executable,
            standalone_mode=False,
        )
        if sys.stdout is not None:
            sys.stdout.flush()
    except SystemExit as error:  # of a signal, while a one-shot command was at work
        code = error.code
    except BaseException as error:
        code = _explained(error)
    process.end(code or 0)


def _explained(error: BaseException) -> int:
    """Prints what went wrong, with its traceback where nobody foresaw it, and returns the exit code."""
    if isinstance(error, OSError):  # what is left of our output must not be flushed again at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    if sentence := _of_the_machine(error):
        error = ConfigError(sentence)
    try:
        return explain(error)
    except Exception:
        sys.excepthook(type(error), error, error.__traceback__)
        return 1


def _of_the_machine(error: BaseException) -> str | None:
    """What to do about an error that says only that the machine has no more; None for others."""
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        return f"no further thread can be started: {threads.LACKING}"
    unmapped = isinstance(error, ImportError) and ("failed to map" in str(error) or "allocate" in str(error))
    if isinstance(error, MemoryError) or unmapped:
        return "no memory is left: allow this process more (ulimit -v, a container's limit)"
    return None


def _print_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        with Container(context.obj) as container:
            manifest = container.manifest
        click.echo(f"{manifest.name} {manifest.version} (encoderfile {encoderfile.__version__})")
        context.exit()


@click.group(cls=BuiltFile, context_settings=CONTEXT)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Print the version."
)
def cli() -> None:
    """A model in one file: serves HTTP, gRPC and MCP, and answers on the command line."""


_UNUSED = {
    "disable_http": (
        "http_hostname",
        "http_port",
        "allowed_host",
        "cors_origin",
        "root_path",
        "disable_ui",
        "served_name",
        "allow_dimensions",
    ),
    "disable_grpc": ("grpc_hostname", "grpc_port"),
}
"""Options of `serve` that a switch leaves nothing to do."""


@cli.command(cls=InSections)
@options(ServeSettings, ServerSettings, ModelSettings)
@onnx_flags
@click.pass_obj
def serve(executable: Path, /, **given: Any) -> int:
    """Serve the model over HTTP (a page at /, MCP at /mcp) and gRPC until SIGTERM or Ctrl-C."""
    context = click.get_current_context()
    for switch, unused in _UNUSED.items():
        if given[switch]:
            refuse_unused(context, unused, f"with --{switch.replace('_', '-')}")
    if given["metrics_port"] is None:
        refuse_unused(context, ("metrics_hostname",), "without --metrics-port")
    return _serve(executable, ServeSettings(**given))


@cli.command()
@options(
    ServeSettings,
    ServerSettings,
    only=("http_hostname", "http_port", "grpc_hostname", "grpc_port", "disable_http", "cert_file", "key_file"),
)
@options(HealthSettings)
def health(timeout: float, **given: Any) -> int:
    """Ask a server that runs with the same options whether it is ready: exit code 0 if it is, 1 if not.

    Asks HTTP's /readyz, or gRPC's health service with --disable-http. For health checks of containers.
    """
    from encoderfile.runtime.health import check

    check(ServeSettings(**given), timeout)
    click.echo("ready")
    return 0


_OVER_STDIO = frozenset({"transport", "drain_seconds", "max_body_bytes"})
"""Options for servers that `mcp` follows over stdio too."""


@cli.command(cls=InSections)
@options(McpSettings, ServerSettings, ModelSettings)
@click.option(
    "--print-config",
    "client",
    type=click.Choice(AGENTS),
    help="Print what an agent needs to start this server, or to reach it with --transport http, and end.",
)
@onnx_flags
@click.pass_obj
def mcp(executable: Path, /, client: str | None, **given: Any) -> int:
    """Speak MCP over stdin and stdout, or with --transport http on a port of its own."""
    settings = McpSettings(**given)
    context = click.get_current_context()
    if settings.transport != "http":
        refuse_unused(
            context,
            given.keys() - ModelSettings.__dataclass_fields__.keys() - _OVER_STDIO,
            "over stdio, only with --transport http",
        )
    if client is not None:
        from encoderfile.runtime.mcp_config import configuration

        click.echo(configuration(client, executable, settings, given_again(context, without=("client", "transport"))))
        return 0
    if settings.transport == "http":
        return _serve(executable, settings.over_http())
    from encoderfile.runtime.oneshot import speak_mcp

    logs.set_up(settings.log_format, settings.log_level)
    conversation = speak_mcp(executable, settings, settings.drain_seconds, settings.max_body_bytes)
    return 0 if process.run(conversation) else 1


@cli.command(cls=Infer)
@click.argument("texts", nargs=-1, metavar="TEXT...")
@options(InferSettings, InputSettings, ModelSettings)
@onnx_flags
@click.pass_obj
def infer(executable: Path, /, texts: tuple[str, ...], **given: Any) -> int:
    """Answer TEXT... without a server. The result goes to stdout, everything else to stderr."""
    # As an exception, so that a half-written file does not stay behind.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    from encoderfile.runtime import inputs
    from encoderfile.runtime.oneshot import answer

    request = {name: value for name in flags() if (value := given.pop(name)) is not None}
    settings = InferSettings(**given, request=request)
    context = click.get_current_context()
    strategy = context.meta.get(Infer.TAKEN_AS_TEXT)
    hint = f"{strategy} is taken as a text: for the strategy write --entities={strategy}"
    if bool(texts) == (settings.input_file is not None):
        either = "give either TEXT... or -i FILE (- for standard input)"
        raise click.UsageError(f"{either}; {hint}" if strategy else either)
    if settings.stride is not None and settings.entities is None:
        raise click.UsageError("--stride needs --entities")
    if settings.input_file is None:
        refuse_unused(context, ("input_format", "column"), "without -i FILE")
    logs.set_up(settings.log_format, settings.log_level)
    if strategy:
        log.warning(hint)
    for text in texts:
        if os.path.isfile(text):  # noqa: PTH113 - a long text is no path, and no error
            log.warning("%s is taken as a text: for the file write -i %s", *[printable(text)] * 2)
    answer(executable, settings, inputs.texts(texts, settings.input_file, settings.input_format, settings.column))
    return 0


@cli.command(cls=InSections)
@options(InputSettings, ModelSettings)
@click.pass_obj
def bench(executable: Path, /, **given: Any) -> int:
    """Measure this file on this machine, and recommend --threads and --max-batch-tokens.

    Without -i, 200 built-in texts are read. Options that are given are kept, other values are tried for the rest.
    Progress goes to stderr.
    """
    from encoderfile.runtime import inputs
    from encoderfile.runtime.bench import bench, built_in_texts, steps

    settings = InputSettings(**given)
    if settings.input_file is None:
        refuse_unused(click.get_current_context(), ("input_format", "column"), "without -i FILE")
    logs.set_up(settings.log_format, settings.log_level)
    texts: Sequence[Text] = built_in_texts()
    if settings.input_file is not None:
        texts = inputs.texts((), settings.input_file, settings.input_format, settings.column)
    device = cuda_libraries.device(executable, settings.device, settings.device_id)
    with Progress("measuring", steps(device, settings), unit="runs", shown=settings.log_format == "text") as progress:
        report = bench(executable, device, settings, texts, lambda name: progress.advance(1, f"measuring {name}"))
    if is_terminal(sys.stdout):
        from encoderfile.runtime.bench_picture import picture

        screen = Screen.of(sys.stdout)
        for line in picture(report, screen):
            sys.stdout.buffer.write(screen.encode(line))
        return 0
    click.echo(report.text())
    return 0


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--sbom", is_flag=True, help="Print what the runtime is made of (CycloneDX JSON).")
@options(ModelSettings, only=("device", "device_id"))
@click.pass_obj
def info(executable: Path, /, as_json: bool, sbom: bool, device: str, device_id: int) -> int:
    """Show what is in this file and which device it would use here, after verifying all checksums."""
    from encoderfile.runtime import frozen
    from encoderfile.runtime.info import describe

    if sbom:
        click.echo(frozen.sbom(executable), nl=False)
        return 0
    chosen = cuda_libraries.device(executable, device, device_id, load_now=False)
    click.echo(describe(executable, chosen, as_json))
    return 0


@cli.command()
@click.pass_obj
def verify(executable: Path, /) -> int:
    """Verify this file: the checksums of its model and of its runtime, and the unpacked runtime that runs."""
    from encoderfile import pack
    from encoderfile.runtime import frozen

    with Container(executable) as container:
        container.verify()
        pack.verify(container.pack)
        pack.compare(container.pack, frozen.folder())
    click.echo(f"{printable(str(executable))}: all checksums match")
    return 0


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.pass_obj
def unpack(executable: Path, /, folder: Path) -> int:
    """Copy this file and its runtime to FOLDER, where it starts without a cache folder.

    For machines with no cache folder that can be written and executed from: unpack elsewhere, copy FOLDER there.
    """
    from encoderfile.runtime import frozen

    click.echo(os.fsencode(frozen.unpack(executable, folder)))
    return 0


def _serve(executable: Path, settings: ServeSettings) -> int:
    threads.check(_THREADS + _THREADS_A_CORE * settings.granted_threads)
    from encoderfile.runtime import server
    from encoderfile.runtime.loading import load

    logs.set_up(settings.log_format, settings.log_level, settings.access_log_format)
    device = cuda_libraries.device(executable, settings.device, settings.device_id)
    drained = process.run(server.serve(settings, device, lambda: load(executable, device, settings)))
    return 0 if drained else 1
