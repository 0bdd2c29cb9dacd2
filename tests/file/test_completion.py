"""Shells complete the commands and flags of a built file, whatever its name is."""

import shutil
from pathlib import Path

import pytest

from support.files import BuiltFile


def words(file: BuiltFile, *typed: str) -> set[str]:
    """What bash offers for a line of words, the last of which is not finished."""
    if shutil.which("bash") is None:
        pytest.skip("bash is not installed")
    script = (
        'eval "$(_ENCODERFILE_COMPLETE=bash_source "$1")"\n'
        'function=$(complete -p "${1##*/}" | sed "s/.* -F \\([^ ]*\\) .*/\\1/")\n'
        'COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))\n'
        '"$function" "$1"\n'
        'printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    done = file.run(*typed, prefix=["bash", "-c", script, "bash"])
    assert (done.returncode, done.stderr) == (0, "")
    return set(done.stdout.split())


@pytest.fixture(params=["sentiment.encoderfile", "2nd-model_v1.2+int8.bin"])
def named(request: pytest.FixtureRequest, sentiment: BuiltFile, tmp_path: Path) -> BuiltFile:
    path = tmp_path / request.param
    shutil.copy(sentiment.path, path)
    return sentiment.at(path)


@pytest.mark.proves("ENC Beyond the page", "Commands, flags and their variables")
@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (("se",), ["serve"]),
        (("serve", "--http-"), ["--http-hostname", "--http-port"]),
        (("serve", "--overflow", ""), ["error", "truncate"]),
        (("infer", "--norm"), ["--normalize"]),
        (("mcp", "--transport", "s"), ["stdio"]),
    ],
    ids=" ".join,
)
def test_bash_completes_commands_flags_and_values(
    typed: tuple[str, ...], offered: list[str], sentiment: BuiltFile
) -> None:
    assert sorted(words(sentiment, *typed)) == offered


def test_the_name_of_the_file_does_not_matter(named: BuiltFile) -> None:
    assert words(named, "se") == {"serve"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_each_shell_asks_the_file_itself(shell: str, sentiment: BuiltFile) -> None:
    done = sentiment.run(env={"_ENCODERFILE_COMPLETE": f"{shell}_source"})
    assert done.returncode == 0
    assert f"_ENCODERFILE_COMPLETE={shell}_complete" in done.stdout
    assert sentiment.path.name in done.stdout
