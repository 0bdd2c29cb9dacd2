"""The values that a build from Python takes: what each holds, and what it refuses and how."""

from typing import Any

import pytest

from encoderfile import (
    BatchLongest,
    Fixed,
    TargetSpec,
    TokenizerBuildConfig,
    TokenizerTruncationSide,
    TokenizerTruncationStrategy,
)

NOTHING = dict.fromkeys(("pad_strategy", "truncation_side", "truncation_strategy", "max_length", "stride"))


def attributes(config: TokenizerBuildConfig) -> dict[str, Any]:
    return {name: getattr(config, name) for name in NOTHING}


def test_a_tokenizers_settings_are_its_attributes() -> None:
    given = {
        "pad_strategy": Fixed(n=512),
        "truncation_side": "right",
        "truncation_strategy": "longest_first",
        "max_length": 512,
        "stride": 0,
    }
    assert attributes(TokenizerBuildConfig(**given)) == given


def test_members_of_enumerations_are_as_good_as_strings() -> None:
    by_name = TokenizerBuildConfig(
        truncation_side=TokenizerTruncationSide.Left, truncation_strategy=TokenizerTruncationStrategy.OnlyFirst
    )
    assert by_name == TokenizerBuildConfig(truncation_side="left", truncation_strategy="only_first")


@pytest.mark.parametrize("given", [{}, NOTHING], ids=["left out", "None"])
def test_settings_that_are_not_given_are_none(given: dict[str, None]) -> None:
    assert attributes(TokenizerBuildConfig(**given)) == NOTHING


@pytest.mark.parametrize(
    ("given", "kind", "words"),
    [
        ({"pad_strategy": "nonsense!"}, TypeError, "pad_strategy .*'nonsense!'"),
        ({"pad_strategy": 512}, TypeError, "pad_strategy .*512"),
        ({"truncation_side": "up"}, RuntimeError, "truncation_side is 'up': choose left or right"),
        ({"truncation_side": "up"}, ValueError, "truncation_side is 'up'"),
        ({"truncation_strategy": "none"}, RuntimeError, "truncation_strategy is 'none': choose longest_first or"),
        ({"max_length": -1}, OverflowError, "max_length should not be negative, got -1"),
        ({"stride": -1}, OverflowError, "stride should not be negative, got -1"),
        ({"max_length": "9"}, TypeError, "'str' object cannot be interpreted as an integer"),
        ({"stride": 1.5}, TypeError, "'float' object cannot be interpreted as an integer"),
    ],
)
def test_a_wrong_setting_of_the_tokenizer_is_refused(given: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        TokenizerBuildConfig(**given)


def test_padding_is_a_value() -> None:
    assert BatchLongest() == BatchLongest()
    assert Fixed(n=3).n == 3
    with pytest.raises(OverflowError, match="n should not be negative"):
        Fixed(n=-1)
    with pytest.raises(TypeError):
        Fixed(n="3")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("triple", "parts"),
    [
        ("aarch64-unknown-linux-gnu", ("aarch64", "linux", "gnu")),
        ("x86_64-unknown-linux-musl", ("x86_64", "linux", "musl")),
        ("aarch64-apple-darwin", ("aarch64", "darwin", "gnu")),
        ("x86_64-pc-windows-msvc", ("x86_64", "windows", "msvc")),
    ],
)
def test_a_target_has_parts(triple: str, parts: tuple[str, str, str]) -> None:
    target = TargetSpec(triple)
    assert (target.arch, target.os, target.abi) == parts
    assert str(target) == triple
    assert target == TargetSpec(triple)


@pytest.mark.parametrize(
    ("triple", "words"),
    [
        ("nonsense!", "invalid or unsupported target triple `nonsense!`"),
        ("riscv64-unknown-linux-musl", "unsupported architecture `riscv64`"),
        ("", "invalid or unsupported target triple ``"),
    ],
)
def test_a_target_that_is_not_known_is_refused(triple: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        TargetSpec(triple)


def test_a_target_is_a_string() -> None:
    with pytest.raises(TypeError, match="a target is a string"):
        TargetSpec(3)  # type: ignore[arg-type]
