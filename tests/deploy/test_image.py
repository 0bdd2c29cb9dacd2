"""The image of deploy/Dockerfile, built by buildah and run as engines run it: without a right or a folder."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.files import FREEZE_PATIENCE, BuiltFile
from support.hosts import seccomp
from support.models import ROOT


@dataclass(frozen=True)
class Image:
    """The image's configuration, as Docker writes it, and its files."""

    config: Mapping[str, Any]
    root: Path

    def prefix(self) -> list[str]:
        """A command prefix that runs the rest as in `docker run --read-only --cap-drop ALL --user ...`."""
        steps = [
            f"root='{self.root}'",
            'mkdir -p "$root/proc" "$root/dev"',  # which an engine adds to an image
            'mount --bind "$root" "$root"',
            'mount --rbind /proc "$root/proc"',
            'mount -t tmpfs tmpfs "$root/dev"',
            *(f'touch "$root/dev/{name}" && mount --bind "/dev/{name}" "$root/dev/{name}"' for name in DEVICES),
            'mount -o remount,ro "$root/dev"',
            'mount -o remount,bind,ro "$root"',
            'exec "$@"',
        ]
        user = f"--userspec={self.config['User']}"
        chroot = ["setpriv", "--no-new-privs", *seccomp(), shutil.which("chroot") or "/usr/sbin/chroot", user]
        return ["unshare", "--mount", "sh", "-ec", "\n".join(steps), "sh", *chroot, str(self.root)]


DEVICES = ("null", "urandom")


@dataclass(frozen=True)
class Contained(BuiltFile):
    """The file in the image, with no variable but those of the image and of the test."""

    image: Image = field(kw_only=True)

    def environment(self, **more: str) -> dict[str, str]:
        return more


@pytest.fixture(scope="module")
def image(built: BuiltFile, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    if shutil.which("buildah") is None or os.geteuid() != 0:
        pytest.skip("buildah is not installed, or this is not root")
    store = tmp_path_factory.mktemp("store")
    buildah = ["buildah", "--storage-driver", "vfs", "--root", str(store / "root"), "--runroot", str(store / "run")]

    def run(*words: str) -> str:
        done = subprocess.run(
            [*buildah, *words], capture_output=True, text=True, check=False, cwd=ROOT, timeout=FREEZE_PATIENCE
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    settings = ["--isolation", "chroot", "--format", "docker", "--file", "deploy/Dockerfile"]
    run("bud", *settings, "--build-arg", f"FILE={built.path.name}", "--tag", "my-model", str(built.path.parent))
    config = json.loads(run("inspect", "--type", "image", "my-model"))["Docker"]["config"]
    container = run("from", "my-model")
    yield Image(config, Path(run("mount", container)))
    run("umount", container)


@pytest.fixture
def contained(image: Image) -> Contained:
    return Contained(Path("/model"), Path("/"), image=image)


def test_the_image_holds_the_file_and_its_runtime_alone(image: Image) -> None:
    assert {path.name for path in image.root.iterdir()} - {"proc", "dev"} == {"model", ".encoderfile"}


def test_the_image_says_how_it_is_run(image: Image) -> None:
    assert image.config["User"] == "65532:65532"
    assert image.config["Entrypoint"] == ["/model"]
    assert image.config["Cmd"] == ["serve"]
    assert image.config["ExposedPorts"].keys() == {"8080/tcp", "50051/tcp"}
    assert image.config["Healthcheck"]["Test"] == ["CMD", "/model", "health"]
    assert image.config["StopSignal"] == "SIGTERM"


def test_it_serves_from_a_read_only_root_without_rights(contained: Contained) -> None:
    prefix = contained.image.prefix()
    with contained.serve(prefix=prefix) as server:
        status = Path(f"/proc/{server.process.pid}/status").read_text(encoding="utf-8")
        assert "\nUid:\t65532\t65532\t65532\t65532\n" in status
        assert "\nCapEff:\t0000000000000000\n" in status
        assert "\nNoNewPrivs:\t1\n" in status
        assert "\nSeccomp:\t2\n" in status
        answer = httpx.post(f"{server.url}/predict", json={"inputs": ["What a wonderful film!"]}).json()
        assert answer["results"][0]["predicted_label"] == "POSITIVE"
        port = server.url.rpartition(":")[2]
        asked = contained.run("health", "--http-port", port, prefix=prefix)
        assert (asked.returncode, asked.stdout) == (0, "ready\n"), asked.stderr
        assert server.end() == 0
    asked = contained.run("health", "--http-port", port, prefix=prefix)
    assert asked.returncode == 1
