"""deploy/builder.Dockerfile asks for nothing that a release does not have. It is not built: that needs Docker."""

import re
import shlex
import subprocess
from fnmatch import fnmatch

import pytest

import encoderfile
from encoderfile.builder.runtimes.platforms import PLATFORMS
from encoderfile.cli.commands import cli
from support.models import ROOT

FILE = ROOT / "deploy" / "builder.Dockerfile"
TEXT = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", FILE.read_text(encoding="utf-8"), flags=re.MULTILINE))
STEPS = [tuple(line.split(maxsplit=1)) for line in TEXT.splitlines() if line]
"""Each instruction and its words, without comments, in one line."""

RELEASE = {
    f"onnx_encoderfile-{encoderfile.__version__}-py3-none-any.whl",
    "constraints.txt",
    *(f"encoderfile-runtime-{encoderfile.__version__}-{platform}-cpu.pack" for platform in PLATFORMS),
}
RUNS = [words.removeprefix("--mount=type=bind,target=/release ") for name, words in STEPS if name == "RUN"]


def test_every_file_that_a_step_reads_is_in_a_release() -> None:
    named = re.findall(r"/release/([\w.*-]+)", TEXT)
    assert named
    for pattern in named:
        assert any(fnmatch(name, pattern) for name in RELEASE), pattern


@pytest.mark.parametrize("step", RUNS)
def test_a_shell_can_read_every_step(step: str) -> None:
    subprocess.run(["sh", "-n", "-c", step], check=True)


def test_every_command_is_one_of_the_builders() -> None:
    for step in RUNS:
        for group, command in re.findall(r"\bencoderfile (\w+) (\w+)", step):
            assert command in cli.commands[group].commands  # type: ignore[attr-defined]


def test_files_are_built_by_a_user_without_rights() -> None:
    names = [name for name, _ in STEPS]
    assert dict(STEPS)["USER"].split(":")[0] not in ("0", "root")
    assert names.index("USER") > max(index for index, name in enumerate(names) if name == "RUN")
    assert dict(STEPS)["ENTRYPOINT"] == '["encoderfile"]'
    assert dict(STEPS)["WORKDIR"] == "/work"


def test_its_python_is_one_that_the_package_takes() -> None:
    found = re.fullmatch(r"python:3\.(\d+)-slim", dict(STEPS)["FROM"])
    wanted = re.search(r'requires-python = ">=3\.(\d+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert found is not None
    assert wanted is not None
    assert int(found[1]) >= int(wanted[1])


def test_the_commands_above_it_name_it() -> None:
    lines = [line[4:] for line in FILE.read_text(encoding="utf-8").splitlines() if line.startswith("#   ")]
    build, run = (shlex.split(line) for line in lines)
    assert build[build.index("--file") + 1] == FILE.relative_to(ROOT).as_posix()
    assert build[build.index("--tag") + 1] in run
