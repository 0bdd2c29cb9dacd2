"""YAML from whoever wrote it: plain values only, and nothing that grows."""

from __future__ import annotations

import yaml


def load(text: str | bytes) -> object:
    """The document; its aliases are shared, not copied. Raises `ValueError` with the reason in one line."""
    try:
        return yaml.load(text, Loader=_Loader)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    except (yaml.YAMLError, ValueError) as error:
        raise ValueError(" ".join(str(error).split())) from error


class _Loader(yaml.SafeLoader):
    """Without merge keys: merges of merges grow without bound, and nothing here has a use for them."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Raises `ConstructorError` for a merge key."""
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(
                    None, None, "merge keys (<<) are not supported", key.start_mark
                )
        super().flatten_mapping(node)
