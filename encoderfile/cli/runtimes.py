"""`encoderfile runtime`: what files are made with, for this machine and for others."""

from __future__ import annotations

import os
from pathlib import Path

import click

from encoderfile.console import printable, say

_PATH = click.Path(path_type=Path)
_PLATFORM = click.argument("platform", required=False)
_VERSION = click.option(
    "--runtime-version", metavar="VERSION", help="Fail unless this is the version of encoderfile."
)
_DEVICE = click.option(
    "--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True, help="What it runs on."
)
CACHE_DIR = click.option("--cache-dir", type=_PATH, help="The folder that keeps the frozen runtime.")


@click.group()
def runtime() -> None:
    """Make runtimes, and take them to and from other machines."""


@runtime.command()
@_DEVICE
@CACHE_DIR
def freeze(device: str, cache_dir: Path | None) -> None:
    """Freeze the runtime for this machine, unless that was done; builds do it by themselves."""
    from encoderfile.builder.runtimes import cache

    click.echo(os.fsencode(cache.runtime(device, cache.cache_folder(cache_dir), say).pack.path))


@runtime.command()
@_PLATFORM
@_DEVICE
@_VERSION
@CACHE_DIR
def add(platform: str | None, device: str, runtime_version: str | None, cache_dir: Path | None) -> None:
    """Make the runtime for PLATFORM ready, or say how it comes here.  [default: this machine's]"""
    from encoderfile.builder.config import refuse_other_runtime
    from encoderfile.builder.runtimes import cache, packs
    from encoderfile.builder.runtimes.platforms import platform_named, this_platform

    if runtime_version is not None:
        refuse_other_runtime(runtime_version)
    name = this_platform() if platform is None else platform_named(platform)
    click.echo(os.fsencode(packs.runtime(name, device, cache.cache_folder(cache_dir), say).pack.path))


@runtime.command()
@click.argument("platform")
@CACHE_DIR
def remove(platform: str, cache_dir: Path | None) -> None:
    """Remove the runtimes for PLATFORM that are kept here, of whatever version."""
    from encoderfile.builder.runtimes import cache, packs
    from encoderfile.builder.runtimes.platforms import platform_named

    name = platform_named(platform)
    removed = packs.remove(name, cache.cache_folder(cache_dir))
    if not removed:
        say(f"no runtime for {name} is kept here")
    for path in removed:
        click.echo(os.fsencode(path))


@runtime.command()
@_PLATFORM
@click.option("-o", "--output-path", type=_PATH, default=Path(), help="The file to write, or a folder for it.")
@click.option("--wheel", is_flag=True, help="Write a wheel, for a package index.")
@_DEVICE
@CACHE_DIR
def export(platform: str | None, output_path: Path, wheel: bool, device: str, cache_dir: Path | None) -> None:
    """Write the runtime for PLATFORM to a file, for `import` on another machine.  [default: this machine's]"""
    from encoderfile.builder.runtimes import cache, packs
    from encoderfile.builder.runtimes.platforms import platform_named, this_platform

    name = this_platform() if platform is None else platform_named(platform)
    found = packs.runtime(name, device, cache.cache_folder(cache_dir), say)
    click.echo(os.fsencode(packs.export(found, output_path, as_wheel=wheel, say=say)))


@runtime.command("import")
@click.argument("file", type=_PATH)
@CACHE_DIR
def import_(file: Path, cache_dir: Path | None) -> None:
    """Keep the runtime in FILE: one that `export` wrote, or any built file."""
    from encoderfile.builder.runtimes import cache, packs

    click.echo(os.fsencode(packs.import_pack(file, cache.cache_folder(cache_dir)).data.path))


@runtime.command("list")
@CACHE_DIR
def list_(cache_dir: Path | None) -> None:
    """List the runtimes that are kept here: platform, device, version, size, file, and why one cannot be used."""
    from encoderfile.builder.runtimes import cache, packs

    folder = cache.cache_folder(cache_dir)
    for each in (*packs.frozen(folder), *packs.imported(folder), *packs.installed()):
        size = f"{each.data.length / 1e6:.1f} MB"
        note = f"  ({each.obstacle})" if each.obstacle is not None else ""
        row = f"{each.platform:<13}  {each.device:<4}  {each.version:<7}  {size:>9}  {each.data.path}{note}"
        click.echo(printable(row))
