"""Settings: contradictions are refused before anything starts."""

from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from encoderfile import settings
from encoderfile.errors import ConfigError
from encoderfile.settings import ModelSettings, ServeSettings
from support.refusals import one_sentence


def test_threads_asked_for_win_over_what_is_granted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "granted_cores", lambda: 5)
    assert ModelSettings(threads=3).granted_threads == 3
    assert ModelSettings().granted_threads == 5


@pytest.mark.parametrize(
    ("given", "instances"),
    [
        ({}, 3),
        ({"instances": 2}, 2),
        ({"instances": 1}, 1),
        ({"instances": 4}, 3),
        ({"no_lanes": True}, 1),
        ({"no_lanes": True, "instances": 2}, 2),
    ],
)
def test_there_is_one_instance_per_thread_unless_fewer_are_asked_for(given: dict[str, Any], instances: int) -> None:
    assert ModelSettings(threads=3, **given).granted_instances == instances


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    path = tmp_path / "cert.pem"
    path.touch()
    return path


@pytest.mark.parametrize(
    ("given", "missing"), [("cert_file", "--key-file"), ("key_file", "--cert-file")], ids=["no key", "no certificate"]
)
def test_half_of_a_tls_pair_is_refused(pem: Path, given: str, missing: str) -> None:
    with pytest.raises(ConfigError) as refused:
        ServeSettings(**{given: pem})  # type: ignore[arg-type]
    flag = "--" + given.replace("_", "-")
    assert one_sentence(refused.value) == f"{flag} is given without {missing}: TLS needs both"


def test_both_halves_of_a_tls_pair_are_taken(pem: Path) -> None:
    assert ServeSettings(cert_file=pem, key_file=pem).cert_file == pem


def test_a_certificate_that_is_not_there_is_named(pem: Path) -> None:
    absent = pem.with_name("absent.pem")
    with pytest.raises(ConfigError) as refused:
        ServeSettings(cert_file=pem, key_file=absent)
    assert one_sentence(refused.value) == f"{absent} does not exist: give a PEM file"


def test_nothing_left_to_serve_is_refused() -> None:
    with pytest.raises(ConfigError) as refused:
        ServeSettings(disable_http=True, disable_grpc=True)
    assert one_sentence(refused.value) == (
        "--disable-http and --disable-grpc together leave nothing to serve: leave one out"
    )


@pytest.mark.parametrize("one", ["disable_http", "disable_grpc"])
def test_one_way_in_is_enough(one: str) -> None:
    ServeSettings(**{one: True})  # type: ignore[arg-type]


def test_the_default_addresses_are_those_of_the_api_page() -> None:
    default = ServeSettings()
    assert (default.http_hostname, default.http_port) == ("0.0.0.0", 8080)
    assert (default.grpc_hostname, default.grpc_port) == ("[::]", 50051)
    assert not default.disable_mcp


@pytest.mark.parametrize("key", ["", " ", "\t"])
def test_an_empty_key_is_refused_rather_than_open_to_all(key: str) -> None:
    with pytest.raises(ConfigError) as refused:
        ServeSettings(api_key=key)
    assert one_sentence(refused.value) == "--api-key is empty: give a key or leave it out"


@pytest.mark.parametrize("key", ["größe", "a\x00b", "a\nb", "\x7f", "🔑"])
def test_a_key_that_no_header_carries_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(ConfigError) as refused:
        ServeSettings(api_key=key)
    assert one_sentence(refused.value) == "--api-key has characters that no header carries: use printable ASCII alone"


@pytest.mark.parametrize("key", [" key", "key "])
def test_a_key_with_spaces_around_it_is_refused(key: str) -> None:
    with pytest.raises(ConfigError) as refused:
        ServeSettings(api_key=key)
    assert one_sentence(refused.value) == "--api-key begins or ends with a space, which headers lose: leave it out"


def test_a_key_may_be_any_printable_ascii() -> None:
    key = "".join(map(chr, range(0x21, 0x7F))) + " !"
    assert ServeSettings(api_key=key).api_key == key


def parse(decorate: Any, kind: type, arguments: list[str], **environment: str) -> Any:
    """What a command with these options gets, as its settings."""
    found: list[Any] = []

    @click.command()
    @decorate
    def command(**options: Any) -> None:
        found.append(kind(**options))

    result = CliRunner().invoke(command, arguments, env=environment, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return found[0]


@pytest.mark.parametrize(
    ("decorate", "kind"),
    [(settings.serve_options, ServeSettings), (settings.model_options, ModelSettings)],
    ids=["serve", "model"],
)
def test_the_defaults_of_the_flags_are_those_of_the_settings(decorate: Any, kind: type) -> None:
    assert parse(decorate, kind, []) == kind()


CASES: list[tuple[str, str, object]] = [
    ("--http-hostname", "127.0.0.1", "127.0.0.1"),
    ("--http-port", "1", 1),
    ("--grpc-hostname", "localhost", "localhost"),
    ("--grpc-port", "2", 2),
    ("--api-key", "secret", "secret"),
    ("--device", "cpu", "cpu"),
    ("--device-id", "1", 1),
    ("--threads", "3", 3),
    ("--max-batch-tokens", "4", 4),
    ("--max-queue", "5", 5),
    ("--max-inputs", "6", 6),
    ("--max-body-bytes", "7", 7),
    ("--max-output-values", "8", 8),
    ("--overflow", "error", "error"),
    ("--log-format", "json", "json"),
    ("--log-level", "debug", "debug"),
    ("--drain-seconds", "1.5", 1.5),
]


@pytest.mark.parametrize(("flag", "text", "value"), CASES, ids=[flag for flag, _, _ in CASES])
def test_every_flag_has_an_environment_variable_and_wins_over_it(flag: str, text: str, value: object) -> None:
    name = flag.removeprefix("--").replace("-", "_")
    variable = f"ENCODERFILE_{name.upper()}"
    assert getattr(parse(settings.serve_options, ServeSettings, [flag, text]), name) == value
    assert getattr(parse(settings.serve_options, ServeSettings, [], **{variable: text}), name) == value
    other = {"ENCODERFILE_HTTP_PORT": "9"}
    assert parse(settings.serve_options, ServeSettings, ["--http-port", "8"], **other).http_port == 8


@pytest.mark.parametrize("flag", ["--disable-grpc", "--disable-http", "--disable-mcp"])
def test_a_switch_has_an_environment_variable_too(flag: str) -> None:
    name = flag.removeprefix("--").replace("-", "_")
    assert getattr(parse(settings.serve_options, ServeSettings, [flag]), name) is True
    assert (
        getattr(parse(settings.serve_options, ServeSettings, [], **{f"ENCODERFILE_{name.upper()}": "1"}), name)
        is True
    )


def test_a_drain_time_that_is_no_number_is_refused() -> None:
    @click.command()
    @settings.serve_options
    def serve(**options: Any) -> None:
        click.echo(options["drain_seconds"])

    assert CliRunner().invoke(serve, ["--drain-seconds", "inf"]).output == "inf\n"
    refused = CliRunner().invoke(serve, ["--drain-seconds", "nan"])
    assert refused.exit_code == 2
    assert refused.output.endswith("nan is no time\n")
