"""A disk that fills up during the build: a sentence, no half file, and the older file as it was."""

import subprocess
from pathlib import Path

from support.files import COMMAND, FREEZE_PATIENCE, builder_environment, encoderfile, namespace
from support.models import DEMO


def test_a_full_disk_is_one_sentence_and_the_older_file_stays(tmp_path: Path) -> None:
    # The runtime is frozen beforehand, so that it is the new file alone that does not fit.
    assert encoderfile("build", DEMO["sentiment"], "-o", tmp_path / "elsewhere").returncode == 0
    disk = tmp_path / "disk"
    disk.mkdir()
    prefix = namespace("mount", prepare=f'mount -t tmpfs -o size=8m tmpfs "{disk}" && echo older > "{disk}/model"')
    script = '"$@"; code=$?; ls -A "$0"; cat "$0/model"; exit $code'
    done = subprocess.run(
        [*prefix, "sh", "-c", script, disk, COMMAND, "build", DEMO["sentiment"], "-o", disk / "model"],
        env=builder_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=FREEZE_PATIENCE,
    )
    assert done.returncode == 1
    assert done.stdout == "model\nolder\n"
    assert done.stderr.splitlines()[-1] == (
        f"error: cannot write {disk / 'model'}: No space left on device; choose another place with --output-path"
    )
