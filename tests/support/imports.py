"""What every file of the package imports, read from its source: relative, inside functions, for type checkers."""

import ast
from functools import cache
from pathlib import Path

import encoderfile

PACKAGE = Path(encoderfile.__file__).parent
FILES = {path.relative_to(PACKAGE).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}
"""Every source file by its path inside the package."""


def module_of(file: str) -> str:
    """The dotted name of a file of the package."""
    parts = ["encoderfile", *Path(file).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = frozenset(map(module_of, FILES))


@cache
def imports(file: str) -> frozenset[str]:
    """The dotted names that a file of the package imports."""
    return imported(FILES[file].read_text(encoding="utf-8"), file)


def imported(source: str, file: str) -> frozenset[str]:
    """The dotted names that `source` would import if it were `file`."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _base(node, file)
            found.update(_target(base, alias.name) for alias in node.names)
    return frozenset(found)


def _base(node: ast.ImportFrom, file: str) -> str:
    if not node.level:
        return node.module or ""
    folder = ["encoderfile", *Path(file).parent.parts]
    return ".".join([*folder[: len(folder) - node.level + 1], *([node.module] if node.module else [])])


def _target(base: str, name: str) -> str:
    """`from a import b` imports the module a.b where there is one, else a."""
    return f"{base}.{name}" if f"{base}.{name}" in MODULES else base


def packages(file: str) -> dict[str, str]:
    """The packages and modules of encoderfile that a file imports from, each with one name as evidence."""
    return {name.split(".")[1]: name for name in imports(file) if name.startswith("encoderfile.")}


def libraries(file: str) -> frozenset[str]:
    """The top names of everything else that a file imports."""
    return frozenset(name.split(".")[0] for name in imports(file)) - {"encoderfile"}
