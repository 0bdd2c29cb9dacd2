"""A PyInstaller runtime hook: the packages `mcp` and `mcp.server`, without the imports of their `__init__`.

The SDK's packages import its client, its high-level server and OAuth, and with them httpx and cryptography:
10 MB and a third of a second for code that the low-level server never runs.
"""

import importlib.util
import sys
import types

for name in ("mcp", "mcp.server"):
    spec = importlib.util.find_spec(name)
    if spec is not None:
        package = types.ModuleType(name)
        package.__spec__ = spec
        package.__path__ = list(spec.submodule_search_locations or ())
        sys.modules[name] = package
