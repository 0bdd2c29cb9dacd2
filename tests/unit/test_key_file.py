"""--api-key-file: a key that is mounted as a file."""

from pathlib import Path

import pytest

from encoderfile.errors import ConfigError
from encoderfile.settings import McpSettings, ServeSettings
from support.refusals import one_sentence


@pytest.mark.parametrize(
    "content", [b"secret", b"secret\n", b"secret\r\n"], ids=["bare", "a line", "a line of Windows"]
)
def test_the_key_is_the_line_in_the_file(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_bytes(content)
    assert ServeSettings(api_key_file=file).api_key == "secret"
    assert McpSettings(api_key_file=file).over_http().api_key == "secret"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "--api-key-file {file} is empty: put the key into it"),
        (b" \n", "--api-key-file {file} is empty: put the key into it"),
        (b"a" * 5000, "--api-key-file {file} holds more than 4096 bytes: give a file with the key alone"),
        ("schlüssel".encode(), "--api-key has characters that headers cannot hold: use printable ASCII"),
        (b"one\ntwo\n", "--api-key has characters that headers cannot hold: use printable ASCII"),
        (b"\xff\xfe", "--api-key has characters that headers cannot hold: use printable ASCII"),
    ],
    ids=["empty", "a space", "too long", "not ASCII", "two lines", "binary"],
)
def test_a_file_that_holds_no_key_is_refused(content: bytes, says: str, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_bytes(content)
    with pytest.raises(ConfigError) as refused:
        ServeSettings(api_key_file=file)
    assert one_sentence(refused.value) == says.format(file=file)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        ServeSettings(api_key_file=tmp_path / "key")
    assert (
        one_sentence(refused.value) == f"--api-key-file {tmp_path / 'key'} cannot be read: No such file or directory"
    )


def test_two_keys_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("one")
    with pytest.raises(ConfigError) as refused:
        ServeSettings(api_key="two", api_key_file=file)
    assert one_sentence(refused.value) == "--api-key and --api-key-file give two keys: leave one out"


def test_a_file_that_was_read_is_not_read_again(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("secret")
    settings = ServeSettings(api_key_file=file, metrics_port=0)
    file.unlink()
    assert settings.for_metrics.api_key == "secret"


def test_over_stdio_no_file_is_read(tmp_path: Path) -> None:
    assert McpSettings(api_key_file=tmp_path / "key").api_key is None
