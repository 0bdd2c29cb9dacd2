"""Settings: contradictions are refused before anything starts."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from encoderfile import settings
from encoderfile.errors import ConfigError
from encoderfile.flag_values import origins
from encoderfile.options import option, options, switch
from encoderfile.settings import ModelSettings, ServerSettings, ServeSettings
from support.refusals import one_sentence


def test_threads_asked_for_win_over_what_is_granted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "granted_cores", lambda: 5)
    assert ModelSettings(threads=3).granted_threads == 3
    assert ModelSettings().granted_threads == 5


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
def test_one_protocol_is_enough(one: str) -> None:
    ServeSettings(**{one: True})  # type: ignore[arg-type]


@pytest.mark.proves(
    "ENC Overview", "HTTP on port 8080 unless told otherwise", "gRPC on port 50051 unless told otherwise"
)
@pytest.mark.proves("ENC gRPC", "On `[::]`, all interfaces, port 50051, unless told otherwise")
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


@pytest.mark.proves("ENC Beyond the page", "An API key")
@pytest.mark.parametrize("key", ["größe", "a\x00b", "a\nb", "\x7f", "🔑"])
def test_a_key_that_no_header_carries_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(ConfigError) as refused:
        ServeSettings(api_key=key)
    assert one_sentence(refused.value) == "--api-key has characters that headers cannot hold: use printable ASCII"


@pytest.mark.parametrize("key", [" key", "key "])
def test_a_key_with_spaces_around_it_is_refused(key: str) -> None:
    with pytest.raises(ConfigError) as refused:
        ServeSettings(api_key=key)
    assert one_sentence(refused.value) == "--api-key begins or ends with a space, which headers lose: leave it out"


def test_a_key_may_be_any_printable_ascii() -> None:
    key = "".join(map(chr, range(0x21, 0x7F))) + " !"
    assert ServeSettings(api_key=key).api_key == key


SERVE = options(ServeSettings, ServerSettings, ModelSettings)
"""The options of `serve`."""
MODEL = options(ModelSettings)
"""Those of every command that runs a model."""


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
    [(SERVE, ServeSettings), (MODEL, ModelSettings)],
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
    ("--instances", "2", 2),
    ("--instances", "auto", None),
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


@pytest.mark.proves("ENC Beyond the page", "Commands, flags and their variables")
@pytest.mark.parametrize(("flag", "text", "value"), CASES, ids=[f"{flag} {text}" for flag, text, _ in CASES])
def test_every_flag_has_an_environment_variable_and_wins_over_it(flag: str, text: str, value: object) -> None:
    name = flag.removeprefix("--").replace("-", "_")
    variable = f"ENCODERFILE_{name.upper()}"
    assert getattr(parse(SERVE, ServeSettings, [flag, text]), name) == value
    assert getattr(parse(SERVE, ServeSettings, [], **{variable: text}), name) == value
    other = {"ENCODERFILE_HTTP_PORT": "9"}
    assert parse(SERVE, ServeSettings, ["--http-port", "8"], **other).http_port == 8


@pytest.mark.parametrize("flag", ["--disable-grpc", "--disable-http", "--disable-mcp"])
def test_a_switch_has_an_environment_variable_too(flag: str) -> None:
    name = flag.removeprefix("--").replace("-", "_")
    assert getattr(parse(SERVE, ServeSettings, [flag]), name) is True
    assert getattr(parse(SERVE, ServeSettings, [], **{f"ENCODERFILE_{name.upper()}": "1"}), name) is True


@dataclass(frozen=True, kw_only=True)
class Base:
    color: str = option("red", help="Which color.")


@dataclass(frozen=True, kw_only=True)
class Derived(Base):
    big_size: int | None = option(None, "-s", "--size", type=int, variable=False, help="Which size.")
    loud: bool = switch(help="Whether it is loud.")
    secret: str = "not an option"


def test_a_field_is_flag_variable_default_and_help_at_once() -> None:
    assert parse(options(Derived, Base), Derived, ["-s", "3", "--loud"], ENCODERFILE_COLOR="blue") == Derived(
        big_size=3, loud=True, color="blue"
    )
    command = click.command("command")(options(Derived, Base)(lambda: None))
    text = " ".join(command.get_help(click.Context(command)).split())
    assert text.endswith(
        "-s, --size INTEGER Which size. --loud Whether it is loud. [env var: ENCODERFILE_LOUD] "
        "--color TEXT Which color. [env var: ENCODERFILE_COLOR; default: red] --help Show this message and exit."
    )


def test_a_class_gives_its_own_options_and_not_the_inherited_ones() -> None:
    command = click.command("command")(options(Derived)(lambda: None))
    assert [each.name for each in command.params] == ["big_size", "loud"]
    command = click.command("command")(options(Derived, Base, only=("loud", "color"))(lambda: None))
    assert [each.name for each in command.params] == ["loud", "color"]


@pytest.mark.parametrize(("given", "instances"), [("auto", None), ("1", 1), ("16", 16)])
def test_instances_are_a_number_or_auto(given: str, instances: int | None) -> None:
    assert parse(MODEL, ModelSettings, ["--instances", given]).instances == instances
    assert parse(MODEL, ModelSettings, [], ENCODERFILE_INSTANCES=given).instances == instances


@pytest.mark.parametrize("given", ["0", "-1", "1.5", "all"])
def test_other_numbers_of_instances_are_refused(given: str) -> None:
    @click.command()
    @MODEL
    def command(**_: Any) -> None:
        raise AssertionError

    refused = CliRunner().invoke(command, ["--instances", given])
    assert refused.exit_code == 2
    assert "Invalid value for '--instances'" in refused.output


def test_the_old_name_of_one_instance_still_works_and_is_not_shown() -> None:
    assert parse(MODEL, ModelSettings, ["--no-lanes"]).no_lanes
    assert parse(MODEL, ModelSettings, [], ENCODERFILE_NO_LANES="1").no_lanes

    @click.command()
    @MODEL
    def command(**_: Any) -> None:
        """Shows its help."""

    assert "lanes" not in CliRunner().invoke(command, ["--help"]).output


def test_a_drain_time_that_is_not_a_number_is_refused() -> None:
    @click.command()
    @SERVE
    def serve(**options: Any) -> None:
        click.echo(options["drain_seconds"])

    assert CliRunner().invoke(serve, ["--drain-seconds", "inf"]).output == "inf\n"
    refused = CliRunner().invoke(serve, ["--drain-seconds", "nan"])
    assert refused.exit_code == 2
    assert refused.output.endswith("nan is not a time\n")


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("https://App.example.com:443", "https://app.example.com"),
        ("http://localhost:80", "http://localhost"),
        ("http://localhost:443", "http://localhost:443"),
        ("https://app.example.com", "https://app.example.com"),
        ("*", "*"),
    ],
)
def test_an_origin_is_taken_as_browsers_send_it(given: str, sent: str) -> None:
    command = click.Command("serve", params=[click.Option(["--cors-origin"], multiple=True)])
    context = click.Context(command)
    assert origins(context, command.params[0], (given,)) == (sent,)
