"""The texts of `infer` and `bench`: arguments, a file or standard input, and what kind of file it is.

The kind is that of --input-format, of the name, or for other names of the content. Anything else is refused: a file
of one kind is never read as another.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from encoderfile.errors import ConfigError, InputError
from encoderfile.runtime import rows
from encoderfile.settings import INPUT_FORMATS
from encoderfile.types import Text

_BY_SUFFIX = {
    "": None,
    ".txt": None,
    ".text": None,
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
}
"""What a name tells; None: look at the content."""

_PACKED = "unpack it, and pipe what is in it to `infer -i -` with --input-format"
_CONVERT = "convert it to JSON Lines or CSV"

_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"\x1f\x8b", "packed with gzip", _PACKED),
    (b"BZh", "packed with bzip2", _PACKED),
    (b"\xfd7zXZ\0", "packed with xz", _PACKED),
    (b"\x28\xb5\x2f\xfd", "packed with zstd", _PACKED),
    (b"PK\x03\x04", "a ZIP file (as those of Word and Excel are)", _CONVERT),
    (b"PAR1", "a Parquet file", _CONVERT),
    (b"ARROW1", "an Arrow file", _CONVERT),
    (b"Obj\x01", "an Avro file", _CONVERT),
    (b"SQLite format 3", "a database", _CONVERT),
    (b"%PDF-", "a PDF file", _CONVERT),
    (b"\xff\xfe", "text in UTF-16", "convert it to UTF-8"),
    (b"\xfe\xff", "text in UTF-16", "convert it to UTF-8"),
)

_BROKEN_JSON = re.compile(r'\[\s*"|\[\s*\{\s*"|\{\s*"|[\[{]\s*$')
"""How a first line begins that is meant as JSON."""

_NAME_OF_COLUMN = re.compile(r"\s*\"?[^\W\d][\w -]{0,40}\"?\s*")

_SAY = f"say what it is with --input-format {'|'.join(INPUT_FORMATS)}"


def texts(arguments: tuple[str, ...], source: str | None, form: str | None, column: str | None) -> list[Text]:
    """The texts, in order.

    `form` is one of `INPUT_FORMATS`, `column` the name of the field or column with the texts. Raises `InputError` for
    content without texts or of a kind that is not read here, `ConfigError` for a file that cannot be read.
    """
    if source is None:
        return list(arguments)
    name, data = "standard input" if source == "-" else source, _read(source)
    if form is None:
        _refuse_other_kinds(data, name)
    try:
        content = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is not UTF-8 text (byte {error.start})") from error
    form = form or _by_name(source) or _by_content(content, name)
    if form == "text" and column is not None:
        raise ConfigError(f"--column is for JSON and CSV, and {name} is read as one text a line: leave it out")
    found = list(rows.READERS[form](content, column))
    if not found:
        raise InputError(f"{name} holds no text")
    return found


def _read(source: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read {source}: {error.strerror}") from error


def _refuse_other_kinds(data: bytes, name: str) -> None:
    for beginning, kind, advice in _MAGIC:
        if data.startswith(beginning):
            raise InputError(f"{name} is {kind}: {advice}")
    if b"\0" in data:
        raise InputError(f"{name} is a binary file (byte {data.index(0)} is zero): {_CONVERT}")


def _by_name(source: str) -> str | None:
    if source == "-":
        return None
    suffix = Path(source).suffix.lower()
    if suffix not in _BY_SUFFIX:
        raise InputError(f"{source} has a name that tells no kind of file that is read here ({suffix}): {_SAY}")
    return _BY_SUFFIX[suffix]


def _by_content(content: str, name: str) -> str:
    """`json`, `jsonl` or `text`. Raises `InputError` for what looks like something else than it is."""
    first = content.lstrip().split("\n", 1)[0]
    if first[:1] in ("[", "{"):
        if rows.parsed(content) is not None:
            return "json"
        if rows.parsed(first) is not None:
            return "jsonl"
        if _BROKEN_JSON.match(first):
            raise InputError(f"{name} begins like JSON, but is not: correct it, or {_SAY}")
    for separator, kind in ((",", "CSV"), ("\t", "TSV")):
        cells = first.split(separator)
        named = all(_NAME_OF_COLUMN.fullmatch(cell) for cell in cells)
        if len(cells) > 1 and named and any(cell.strip(' "\r').lower() == "text" for cell in cells):
            raise InputError(f"{name} looks like {kind}, its first line names a column text: {_SAY}")
    return "text"
