"""modules.json and what it points to: the modules that a text goes through, in order.

A `Router` has several routes, by the purpose of a text. The one that sentence-transformers takes for a text without
a purpose is the model's; texts of a purpose with another route need parts that the graph does not have.
Source: sentence_transformers/base/modules/router.py, `_resolve_route` and `load`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from encoderfile.errors import ModelError

Read = Callable[[str], Mapping[str, Any]]
"""Gives the JSON object in a file of the folder, by its path in it; empty where there is no such file."""


@dataclass(frozen=True, slots=True)
class Module:
    """One module: its class without the package, its folder below the model's, and its config.json."""

    kind: str
    path: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Modules:
    """The modules of a text without a purpose, and the purposes whose texts take another route."""

    default: tuple[Module, ...] = ()
    other_routes: tuple[str, ...] = ()
    routes: Mapping[str, tuple[Module, ...]] = field(default_factory=dict)
    """The modules of each of `other_routes`."""


def read_modules_json(listed: Sequence[Any], read: Read) -> Modules:
    """Resolves the list in modules.json. Raises `ModelError` for one that cannot be followed."""
    default: list[Module] = []
    others: dict[str, tuple[Module, ...]] = {}
    for each in listed:
        if not isinstance(each, Mapping):
            raise ModelError("modules.json should hold a list of objects: export the model again")
        module = _module(str(each.get("type", "")), inside(each.get("path", "")), read)
        if module.kind in ("Router", "Asym"):
            chosen, apart = _routes(module.path, read)
            default += chosen
            others |= apart
        else:
            default.append(module)
    return Modules(tuple(default), tuple(others), others)


def inside(name: object) -> str:
    """`name` as a path below the model's folder. Raises `ModelError` for any other, whose file would be published."""
    text = str(name)
    if Path(text).is_absolute() or ".." in Path(text).parts:
        raise ModelError(f"modules.json names {text}, outside the model's folder: correct it")
    return text


def _module(kind: str, path: str, read: Read) -> Module:
    # The folder of a transformer is the model's own, whose config.json is read separately.
    return Module(kind.rsplit(".", 1)[-1], path, read(_joined(path, "config.json")) if path else {})


def _joined(*parts: str) -> str:
    return "/".join(part for part in parts if part)


def _routes(path: str, read: Read) -> tuple[list[Module], dict[str, tuple[Module, ...]]]:
    """The modules of the route without a purpose, and the purposes with other modules."""
    config = read(_joined(path, "router_config.json")) or read(_joined(path, "config.json"))
    types, structure = config.get("types"), config.get("structure")
    parameters = config.get("parameters", {})
    if not (isinstance(types, Mapping) and isinstance(structure, Mapping) and structure):
        raise ModelError(
            "the Router of modules.json has no router_config.json that lists its routes: export it again"
        )
    routes = {
        str(route): [_module(str(types.get(name, "")), inside(_joined(path, str(name))), read) for name in names]
        for route, names in structure.items()
    }
    mappings = _mappings(parameters.get("route_mappings"))
    default = parameters.get("default_route")
    if default is None and parameters.get("allow_empty_key", True):
        default = next(iter(routes))
    chosen = mappings.get((None, "text")) or mappings.get((None, None)) or ("text" if "text" in routes else default)
    if chosen not in routes:
        raise ModelError(
            f"the Router of modules.json has no route for a text without a purpose (its routes: {', '.join(routes)}):"
            " set default_route in router_config.json"
        )
    purposes = {task: route for (task, kind), route in mappings.items() if task and kind in ("text", None)}
    purposes = {name: name for name in routes} | purposes
    return routes[chosen], {
        task: tuple(routes.get(route, ()))
        for task, route in purposes.items()
        if not _same(routes.get(route), routes[chosen])
    }


def _mappings(raw: object) -> dict[tuple[str | None, Any], str]:
    """`route_mappings`, whose keys are pairs of purpose and modality, written as Python literals."""
    found: dict[tuple[str | None, Any], str] = {}
    for key, route in (raw if isinstance(raw, Mapping) else {}).items():
        try:
            task, modality = ast.literal_eval(key)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue  # as sentence-transformers does
        found[task, modality] = str(route)
    return found


def _same(one: Sequence[Module] | None, other: Sequence[Module]) -> bool:
    """Whether two routes are the same: routes share a module only by its folder."""
    return one is not None and [each.path for each in one] == [each.path for each in other]
