"""The Lua that a file with a transform brings: which one, and for which runtimes and platforms."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import encoderfile
from encoderfile.builder.container_writer import Part, write
from encoderfile.builder.runtimes import lua, packs, sources
from encoderfile.builder.runtimes.pack_writer import write_pack
from encoderfile.builder.runtimes.platforms import PLATFORMS, launcher, this_platform
from encoderfile.container import Container, Slice
from encoderfile.errors import ConfigError, ContainerError
from encoderfile.manifest import LUA, TRANSFORM
from encoderfile.pack import COMPONENTS_PATH, FACTS_PATH, entries, read
from encoderfile.runtime import transforms
from support.payload import manifest
from support.refusals import one_sentence

OTHER = next(name for name in PLATFORMS if name != this_platform())


def runtime(folder: Path, python: str, platform: str = this_platform()) -> Slice:
    """A small runtime that says which Python it has."""
    frozen = folder / f"frozen-{python}-{platform}"
    (frozen / "_internal").mkdir(parents=True)
    said = {
        "version": encoderfile.__version__,
        "device": "cpu",
        "machine": platform.partition("-")[2],
        "sources": sources.digest(),
        "versions": {"python": python},
    }
    (frozen / FACTS_PATH).write_text(json.dumps(said))
    (frozen / "runtime").write_text("#!/bin/sh\n")
    write_pack(frozen, folder / f"{frozen.name}.pack", "2.17")
    return Slice.whole(folder / f"{frozen.name}.pack")


def own_python() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}.7"


def file_with(part: Part, pack: Slice, folder: Path, **changed: Any) -> Path:
    path = folder / "built"
    write(
        path,
        launcher=Slice.whole(launcher(this_platform())),
        pack=pack,
        parts=[Part("config.json", b"{}"), part],
        describe=lambda artifacts: manifest(artifacts, **{"lua_libs": ("math",), **changed}),
    )
    return path


def test_the_pack_has_the_extension_and_whose_it_is(tmp_path: Path) -> None:
    made = lua.part(None, runtime(tmp_path, own_python()))
    (tmp_path / "pack").write_bytes(made.data)
    pack = Slice.whole(tmp_path / "pack")
    assert made.name == LUA
    assert [each.path.partition(".")[0] for each in entries(pack)] == ["components", "lua54"]
    parts = json.loads(read(pack, COMPONENTS_PATH))
    assert [(each["name"], each["version"].startswith("5.4.")) for each in parts] == [("lupa", False), ("lua", True)]
    assert lua.part(None, runtime(tmp_path, own_python() + "1")).data == made.data


def test_another_python_cannot_load_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        lua.part(None, runtime(tmp_path, "3.99.1"))
    assert one_sentence(refused.value).startswith("the runtime has Python 3.99, and the Lua for the transform is for")
    part = lua.part(None, runtime(tmp_path, own_python()))
    with Container(file_with(part, runtime(tmp_path, own_python() + "1"), tmp_path)) as file:
        lua.check_kept(file, runtime(tmp_path, own_python() + "2"))
        with pytest.raises(ConfigError, match="build the file again with one Python"):
            lua.check_kept(file, runtime(tmp_path, "3.98.1"))


def test_another_platform_takes_the_lua_of_a_file_that_was_built_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        lua.require(OTHER, None)
    assert one_sentence(refused.value).startswith(f"a transform needs Lua for {OTHER}, which is not here: ")
    lua.require(this_platform(), None)
    other = runtime(tmp_path, own_python(), OTHER)
    with pytest.raises(ConfigError, match="which is not here"):
        lua.require(OTHER, packs.opened(other.path))
    made = lua.part(None, runtime(tmp_path, own_python()))
    base = packs.opened(file_with(made, other, tmp_path))
    lua.require(OTHER, base)
    taken = lua.part(base, other)
    assert (taken.name, taken.length) == (LUA, len(made.data))
    (place,) = taken.slices
    assert base.data.path.read_bytes()[place.offset : place.offset + place.length] == made.data


def test_without_lupa_the_command_that_installs_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    find: Any = lua.importlib.util.find_spec
    monkeypatch.setattr(lua.importlib.util, "find_spec", lambda name: None if name == "lupa" else find(name))
    with pytest.raises(ConfigError, match=r"^a transform needs the package lupa: run `.*install lupa`$"):
        lua.require_installed()


def test_outside_of_a_built_file_its_script_runs_in_the_installed_lua(tmp_path: Path) -> None:
    script = Part(TRANSFORM, b"function Postprocess(t) return t * 2 end")
    with Container(file_with(script, runtime(tmp_path, own_python()), tmp_path)) as file:
        transform = transforms.opened(file)
    assert transform.libraries == ("math",)
    assert transform(np.ones((1, 2), np.float32), np.ones((1, 1), np.float32)).tolist() == [[2, 2]]


@pytest.mark.parametrize("changed", [{"lua_libs": ("os",)}, {"model_type": "zero_shot_classification"}])
def test_a_script_that_no_builder_takes_is_not_run(changed: Any, tmp_path: Path) -> None:
    script = Part(TRANSFORM, b"function Postprocess(t) return t end")
    path = file_with(script, runtime(tmp_path, own_python()), tmp_path, **changed)
    with Container(path) as file, pytest.raises(ContainerError, match="is not known to this version of encoderfile"):
        transforms.opened(file)
