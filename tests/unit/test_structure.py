"""The structure of the code: the one direction in which imports point, and who may import which library."""

import ast
import re
import sys
from fnmatch import fnmatch

import pytest

from encoderfile.builder.runtimes.sources import NOT_SHIPPED
from encoderfile.tasks import TASKS
from support.imports import FILES, imported, imports, libraries, packages

FOUNDATION = {"errors", "types"}
PAYLOAD = FOUNDATION | {"manifest", "container"}

MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "types": set(),
    "atomic": FOUNDATION,
    "manifest": FOUNDATION,
    "tensors": FOUNDATION,
    "container": FOUNDATION | {"manifest"},
    "pack": FOUNDATION | {"manifest", "container"},
    "control_groups": set(),
    "machine": {"control_groups"},
    "terminal": set(),
    "progress": {"terminal"},
    "console": FOUNDATION | {"terminal"},
    "options": set(),
    "flag_values": FOUNDATION,
    "settings": FOUNDATION | {"machine", "options", "flag_values"},
    "tasks": PAYLOAD | {"settings"},
    "transforms": FOUNDATION | {"manifest", "tasks"},
    "model": PAYLOAD | {"machine", "settings", "tasks", "transforms"},
    "service": PAYLOAD | {"settings", "tasks", "model"},
    # Not `model`: a transport knows the one service and nothing behind it.
    "transports": PAYLOAD | {"settings", "tasks", "service"},
    "runtime": PAYLOAD
    | {
        "tensors",
        "pack",
        "atomic",
        "options",
        "settings",
        "console",
        "progress",
        "terminal",
        "tasks",
        "model",
        "service",
        "transforms",
        "transports",
    },
    # The second road. `runtime` is on neither side of it: builder code does not ship.
    "builder": PAYLOAD | {"tensors", "pack", "atomic", "progress", "tasks", "transforms", "model"},
    # Python programs, beside people at a terminal.
    "api": PAYLOAD | {"progress", "builder"},
    "cli": PAYLOAD | {"atomic", "options", "console", "tasks", "model", "builder", "api"},
    "__main__": {"cli"},
    # Only when a name of the API is asked for, and for type checkers: every file imports the package.
    "__init__": {"api"},
}
"""errors, types -> manifest, container, settings -> tasks -> transforms -> model -> service -> transports ->
runtime, and manifest, container, tasks, model -> builder -> api -> cli."""

SHARED_BY_TRANSPORTS = {"_pb", "auth"}
"""Files that several transports use; they import no transport."""

BORDERS: dict[str, tuple[str, ...]] = {
    "PyInstaller": (),  # run as a process, never imported
    "anyio": ("transports/mcp_stdio.py",),
    "click": (
        "options.py",
        "flag_values.py",
        "settings.py",
        "console.py",
        "runtime/cli.py",
        "runtime/help.py",
        "runtime/*_flags.py",
        "cli/*.py",
    ),
    "google": ("transports/grpc*.py",),
    "grpc": ("transports/grpc*.py", "service/otlp.py"),
    "grpc_health": ("transports/grpc*.py",),
    "grpc_reflection": ("transports/grpc*.py",),
    "httptools": ("transports/http/protocol.py",),
    "lupa": ("transforms/script.py",),
    "mcp": ("transports/mcp*.py",),
    "mcp_types": ("transports/mcp*.py",),
    "msgpack": ("transports/http/sie/wire.py",),
    "msgspec": ("service/*.py", "transports/http/*.py", "transports/mcp*.py"),
    "numpy": (
        "types.py",
        "tensors.py",
        "tasks/*.py",
        "transforms/*.py",
        "model/*.py",
        "builder/*.py",
        "transports/http/*.py",
    ),
    "onnx": ("builder/quantize.py",),
    "opentelemetry": ("service/spans.py", "service/otlp.py"),
    "onnxruntime": ("model/session.py", "builder/precision.py"),
    "orjson": ("service/json_chunks.py", "runtime/writers.py", "transports/*.py"),
    "starlette": ("transports/http/*.py", "transports/mcp_http.py"),
    "tokenizers": ("model/tokenizer.py",),
    "uvicorn": ("transports/http/*.py",),
    "yaml": ("builder/safe_yaml.py",),
}
"""Every library of others, and the only files that may import it."""

OURS = [file for file in FILES if not file.startswith("transports/_pb/")]
"""Every file that is written by hand; test_protos.py looks at the others."""

each_file = pytest.mark.parametrize("file", OURS)


def package_of(file: str) -> str:
    return file.split("/", maxsplit=1)[0].removesuffix(".py")


def transport_of(name: str) -> str:
    """`grpc` for grpc.py and grpc_*.py, `mcp` likewise, `http` for the folder, else the file's own name."""
    return next((wire for wire in ("grpc", "mcp") if name.startswith(wire)), name)


@each_file
def test_imports_point_in_one_direction(file: str) -> None:
    package = package_of(file)
    wrong = {name for target, name in packages(file).items() if target not in MAY_IMPORT[package] | {package}}
    assert not wrong, f"encoderfile/{file} may import {sorted(MAY_IMPORT[package])}, not {sorted(wrong)}"


@pytest.mark.parametrize("file", [file for file in OURS if file.startswith("transports/")])
def test_transports_do_not_know_each_other(file: str) -> None:
    own = transport_of(file.split("/")[1].removesuffix(".py"))
    prefix = "encoderfile.transports."
    used = {
        transport_of(name.removeprefix(prefix).split(".")[0]) for name in imports(file) if name.startswith(prefix)
    }
    allowed = {own} | (SHARED_BY_TRANSPORTS if own not in SHARED_BY_TRANSPORTS else set())
    assert used <= allowed, f"encoderfile/{file} imports {sorted(used - allowed)}"


@pytest.mark.parametrize("file", [file for file in OURS if not file.startswith("tasks/")])
def test_only_the_table_of_tasks_knows_the_model_types(file: str) -> None:
    types = {task.__module__ for task in TASKS.values()}
    assert not types & imports(file), "ask what a task declares: its abilities, options, result fields"
    source = FILES[file].read_text(encoding="utf-8")
    assert not re.search(r"(model_type|task\.name) (==|!=|in) ", source), "no branch on the name of a type"


@each_file
def test_a_file_has_at_most_350_lines_and_a_function_60(file: str) -> None:
    source = FILES[file].read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 350, "a file that needs scrolling usually holds two ideas"
    functions = [
        node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    long = [each.name for each in functions if (each.end_lineno or 0) - each.lineno >= 60]
    assert not long, f"{long} do more than one thing"


@each_file
def test_a_library_is_imported_inside_its_border_only(file: str) -> None:
    foreign = libraries(file) - sys.stdlib_module_names
    unknown = foreign - BORDERS.keys()
    assert not unknown, f"encoderfile/{file} imports {sorted(unknown)}: give each a border in this test"
    wrong = {name for name in foreign if not any(fnmatch(file, border) for border in BORDERS[name])}
    assert not wrong, f"encoderfile/{file} may not import {sorted(wrong)}"


@pytest.mark.parametrize("library", [name for name, files in BORDERS.items() if files])
def test_a_border_guards_something(library: str) -> None:
    assert any(library in libraries(file) for file in OURS), f"nobody imports {library}: drop its border"


@each_file
def test_imports_can_be_read_from_the_source(file: str) -> None:
    source = FILES[file].read_text(encoding="utf-8")
    assert "import_module" not in source
    assert "__import__" not in source


@pytest.mark.parametrize(
    ("source", "file", "found"),
    [
        ("import onnxruntime as ort", "service/service.py", "onnxruntime"),
        ("from encoderfile import model", "transports/mcp_tool.py", "encoderfile.model"),
        ("from encoderfile.model.model import Model", "transports/mcp_tool.py", "encoderfile.model.model"),
        (
            "def f():\n    from encoderfile.model import session",
            "transports/mcp_tool.py",
            "encoderfile.model.session",
        ),
        ("from ..model import session", "transports/mcp_tool.py", "encoderfile.model.session"),
        ("from ...model.session import Session", "transports/http/app.py", "encoderfile.model.session"),
        ("from .. import grpc", "transports/http/app.py", "encoderfile.transports.grpc"),
        ("from . import dialect", "transports/http/app.py", "encoderfile.transports.http.dialect"),
        ("from .auth import check_key", "transports/mcp_tool.py", "encoderfile.transports.auth"),
        ("if TYPE_CHECKING:\n    import encoderfile.builder.build", "runtime/cli.py", "encoderfile.builder.build"),
    ],
)
def test_no_form_of_import_is_overlooked(source: str, file: str, found: str) -> None:
    assert imported(source, file) == {found}


NEEDS_NUMPY_MA = re.compile(r"\bnp\.(unique\w*|setdiff1d|setxor1d|intersect1d|union1d|isin|in1d|ma)\b")
"""Functions that look for numpy.ma when they are called, which the frozen runtime leaves out."""


@pytest.mark.parametrize("file", [name for name in FILES if name.split("/")[0] not in NOT_SHIPPED])
def test_what_is_frozen_calls_nothing_of_numpy_that_is_left_out(file: str) -> None:
    assert not NEEDS_NUMPY_MA.findall(FILES[file].read_text(encoding="utf-8"))
