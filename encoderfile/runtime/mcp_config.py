"""How agents are told of this file: the configuration of a client, the manifests of a bundle and of the registry."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from encoderfile.console import json_text
from encoderfile.container import Container
from encoderfile.errors import ConfigError
from encoderfile.manifest import Manifest
from encoderfile.settings import McpSettings, ServeSettings
from encoderfile.tasks import TASKS

KEY = "ENCODERFILE_API_KEY"
"""The environment variable that clients read the key from."""


@dataclass(frozen=True, slots=True)
class _Server:
    """This file as a server of MCP: over stdio with `flags`, or at `url`."""

    executable: Path
    manifest: Manifest
    flags: Sequence[str] = ()
    url: str | None = None
    has_key: bool = False

    @property
    def command(self) -> dict[str, Any]:
        """What starts it."""
        return {"command": str(self.executable.absolute()), "args": ["mcp", *self.flags]}

    def remote(self, key: str) -> dict[str, Any]:
        """What reaches it; `key` is what the client puts in for the key."""
        headers = {"headers": {"Authorization": f"Bearer {key}"}} if self.has_key else {}
        return {"url": self.url, **headers}

    @property
    def summary(self) -> str:
        """At most 100 characters, as the registry has it."""
        return TASKS[self.manifest.model_type].summary

    @property
    def slug(self) -> str:
        """The name, of the characters that names in a registry are made of."""
        return re.sub(r"[^A-Za-z0-9._-]+", "-", self.manifest.name).strip("-._")[:100] or "model"


def _url(settings: ServeSettings) -> str:
    """Where a client on this machine, or one that knows its name, finds the server. Raises `ConfigError`."""
    host = settings.http_hostname
    if host.startswith("unix:"):
        raise ConfigError("clients of MCP reach no socket: give --hostname an address")
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        pass
    else:
        host = "localhost" if address.is_unspecified else str(address)
        host = f"[{host}]" if address.version == 6 and not address.is_unspecified else host
    return f"{'https' if settings.cert_file else 'http'}://{host}:{settings.http_port}/mcp"


def _claude_desktop(server: _Server) -> dict[str, Any]:
    if server.url is not None:
        raise ConfigError("claude-desktop starts its servers itself: leave --transport http out")
    return {"mcpServers": {server.manifest.name: server.command}}


def _claude_code(server: _Server) -> dict[str, Any]:
    remote = {"type": "http", **server.remote(f"${{{KEY}}}")}
    return {"mcpServers": {server.manifest.name: server.command if server.url is None else remote}}


def _cursor(server: _Server) -> dict[str, Any]:
    remote = server.remote(f"${{env:{KEY}}}")
    return {"mcpServers": {server.manifest.name: server.command if server.url is None else remote}}


def _vscode(server: _Server) -> dict[str, Any]:
    if server.url is None:
        return {"servers": {server.manifest.name: {"type": "stdio", **server.command}}}
    key = f"{server.slug}-key"
    asked = {"type": "promptString", "id": key, "description": f"Key of {server.manifest.name}", "password": True}
    found = {"servers": {server.manifest.name: {"type": "http", **server.remote(f"${{input:{key}}}")}}}
    return {"inputs": [asked], **found} if server.has_key else found


def _mcpb(server: _Server) -> dict[str, Any]:
    """The `manifest.json` of a bundle that has the file beside it."""
    if server.url is not None:
        raise ConfigError("a bundle is started by its client: leave --transport http out")
    name = server.executable.name
    return {
        "manifest_version": "0.3",
        "name": server.slug,
        "display_name": server.manifest.name,
        "version": server.manifest.version,
        "description": server.summary,
        "author": {"name": "encoderfile"},
        "server": {
            "type": "binary",
            "entry_point": name,
            "mcp_config": {"command": f"${{__dirname}}/{name}", "args": ["mcp", *server.flags]},
        },
        "tools_generated": True,
        "compatibility": {"platforms": ["linux"]},
    }


def _server_json(server: _Server) -> dict[str, Any]:
    """For the registry of MCP servers, with OWNER for what its publisher knows alone."""
    version = server.manifest.version
    release = f"https://github.com/OWNER/{server.slug}/releases/download/v{version}/{server.slug}.mcpb"
    package = {"registryType": "mcpb", "identifier": release, "transport": {"type": "stdio"}}
    remote: dict[str, Any] = {"type": "streamable-http", "url": server.url}
    if server.has_key:
        key = {"name": "Authorization", "description": "Bearer and the key", "isRequired": True, "isSecret": True}
        remote["headers"] = [key]
    return {
        "$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
        "name": f"io.github.OWNER/{server.slug}",
        "title": server.manifest.name[:100],
        "description": server.summary,
        "version": version,
        **({"packages": [package]} if server.url is None else {"remotes": [remote]}),
    }


_WRITERS: dict[str, Callable[[_Server], dict[str, Any]]] = {
    "claude-desktop": _claude_desktop,
    "claude-code": _claude_code,
    "cursor": _cursor,
    "vscode": _vscode,
    "mcpb": _mcpb,
    "server-json": _server_json,
}
"""One for each of `AGENTS`."""


def configuration(agent: str, executable: Path, settings: McpSettings, flags: Sequence[str]) -> str:
    """JSON for one of `AGENTS`; `flags` are those of the command line.

    Raises `ConfigError` for an agent that does not take such a server, `ContainerError` for a damaged file.
    """
    with Container(executable) as container:
        manifest = container.manifest
    url = _url(settings.over_http()) if settings.transport == "http" else None
    has_key = settings.api_key is not None or settings.api_key_file is not None
    server = _Server(executable, manifest, flags, url, has_key)
    return json_text(_WRITERS[agent](server)).decode()
