"""One file runs on every host of the table in docs/hosts.md: the same answers, from `infer` and over HTTP."""

import errno
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from support.files import BuiltFile
from support.hosts import KEPT, Host, distribution, seccomp
from support.models import ROOT

TEXT = "What a wonderful film!"
Root = Callable[[str], Path]

READ_ONLY = ('mount -o remount,ro,bind "$root"',)
NOEXEC = (
    'mount -t tmpfs tmpfs "$root/srv" && cp "$root/app/model" "$root/srv/model"',
    'mount -o remount,noexec,bind "$root"',
    'mount -o remount,noexec "$root/tmp"',
)
RANDOM_USER = "31337:31337"


def an_empty_root(root: Root) -> Host:
    return Host(root("empty"))


def a_read_only_root_and_a_random_user(root: Root) -> Host:
    return Host(root("empty"), READ_ONLY, RANDOM_USER)


def a_root_where_one_folder_alone_is_executable(root: Root) -> Host:
    return Host(root("empty"), NOEXEC, path=Path("/srv/model"), env={"ENCODERFILE_CACHE_DIR": "/srv/cache"})


def the_seccomp_profile_of_containers(root: Root) -> Host:
    return Host(root("empty"), READ_ONLY, RANDOM_USER, seccomp())


def musl_and_busybox(root: Root) -> Host:
    # What the host loads into every program is made for its own C library.
    return Host(root("musl"), inside=("/bin/busybox", "env", "LD_PRELOAD=/lib/ld-musl-x86_64.so.1"))


def a_distribution(name: str) -> Callable[[Root], Host]:
    return lambda root: Host(root(name), env={"LANG": "de_DE.ISO-8859-1", "PATH": "/usr/bin:/bin"})


HOSTS: dict[str, Callable[[Root], Host]] = {
    "an empty root": an_empty_root,
    "a read-only root, a random user, no `HOME`": a_read_only_root_and_a_random_user,
    "`noexec` everywhere but one folder": a_root_where_one_folder_alone_is_executable,
    "the seccomp profile of containers": the_seccomp_profile_of_containers,
    "musl and busybox": musl_and_busybox,
    "Debian 11": a_distribution("bullseye"),
    "Debian 12": a_distribution("bookworm"),
    "Debian 13": a_distribution("trixie"),
}


@pytest.fixture
def root(request: pytest.FixtureRequest, built: BuiltFile) -> Root:
    def find(name: str) -> Path:
        if name in ("empty", "musl"):
            found: Path = request.getfixturevalue(name)
            return found
        return distribution(name, built.path)

    return find


def test_the_page_has_a_line_for_each_host_that_is_tried() -> None:
    page = (ROOT / "docs" / "hosts.md").read_text()
    named = re.findall(r"^\| (.+?) \|", page, re.MULTILINE)
    assert [name for name in named if name in HOSTS] == list(HOSTS)


@pytest.mark.parametrize("name", HOSTS)
def test_a_file_answers_without_a_server_on(name: str, root: Root, built: BuiltFile) -> None:
    host = HOSTS[name](root)
    done = host.file().run("infer", TEXT, prefix=host.prefix())
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert json.loads(done.stdout)["results"] == json.loads(built.run("infer", TEXT).stdout)["results"]


@pytest.mark.parametrize("name", HOSTS)
def test_a_server_answers_and_ends_in_order_on(name: str, root: Root, built: BuiltFile) -> None:
    host = HOSTS[name](root)
    with host.file().serve(prefix=host.prefix()) as server:
        answer = httpx.post(f"{server.url}/predict", json={"inputs": [TEXT]}, timeout=60)
        libraries = re.findall(r"/\S+\.so\S*", Path(f"/proc/{server.process.pid}/maps").read_text())
        assert server.end() == 0
    assert answer.json()["results"] == json.loads(built.run("infer", TEXT).stdout)["results"]
    assert libraries
    assert all("/encoderfile" in path or "/cache/" in path for path in libraries)


@pytest.mark.parametrize("name", HOSTS)
def test_a_file_says_what_it_is_on(name: str, root: Root) -> None:
    host = HOSTS[name](root)
    said = host.file().run("info", prefix=host.prefix())
    assert re.search(r"^C library +its own, glibc 2\.\d+$", said.stdout, re.MULTILINE), said.stderr


def test_the_seccomp_profile_really_forbids_what_containers_may_not_do() -> None:
    attempt = "import ctypes; libc = ctypes.CDLL(None, use_errno=True); libc.acct(None); print(ctypes.get_errno())"
    command = [*seccomp(), sys.executable, "-c", attempt]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert int(done.stdout) == errno.EPERM


def test_a_file_is_the_first_process_of_its_container(root: Root) -> None:
    host = Host(root("empty"), READ_ONLY)
    prefix = host.prefix()
    alone = [prefix[0], "--pid", "--fork", *prefix[1:]]
    done = host.file().run("infer", TEXT, prefix=alone)
    assert done.returncode == 0, done.stderr


def test_where_no_folder_is_executable_the_error_names_each_and_what_to_do(root: Root) -> None:
    host = Host(root("empty"), (*READ_ONLY, 'mount -o remount,noexec "$root/tmp"'))
    done = host.file().run("infer", TEXT, prefix=host.prefix())
    assert done.returncode == 1
    assert "/tmp/encoderfile-0 (mounted noexec)" in done.stderr
    assert "set ENCODERFILE_CACHE_DIR to a folder where files can be written and executed" in done.stderr


def test_grpc_without_a_source_of_random_numbers_is_refused_in_a_sentence(root: Root) -> None:
    host = Host(root("empty"), devices=["null"])
    done = host.file().run("serve", "--http-port", "0", prefix=host.prefix())
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "error: gRPC needs /dev/urandom, which cannot be read here: mount /dev, or give --disable-grpc"
    )


def test_http_does_not_need_one(root: Root) -> None:
    host = Host(root("empty"), devices=["null"])
    with host.file().serve("--disable-grpc", prefix=host.prefix()) as server:
        assert httpx.post(f"{server.url}/predict", json={"inputs": [TEXT]}, timeout=60).status_code == 200


def test_what_was_fetched_for_the_tests_lies_outside_the_repository_or_is_ignored() -> None:
    if KEPT.is_relative_to(ROOT):
        assert f"/{KEPT.relative_to(ROOT)}/" in (ROOT / ".gitignore").read_text().splitlines()
