"""The unit, verified by systemd and started by a systemd of its own, which systemd-nspawn boots."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from support.files import PATIENCE, BuiltFile
from support.models import ROOT

UNIT = ROOT / "deploy" / "systemd" / "encoderfile@.service"

CHECK_UNIT = """
[Unit]
Wants=encoderfile@my-model.service
After=encoderfile@my-model.service
SuccessAction=poweroff-force
FailureAction=poweroff-force

[Service]
Type=oneshot
ExecStart=/check/check.sh
StandardOutput=file:/check/out
StandardError=inherit
"""

CHECK = """#!/bin/sh
export ENCODERFILE_CACHE_DIR=/var/cache/check
/opt/encoderfile/my-model.encoderfile health --http-port 8181
systemctl show encoderfile@my-model -p ActiveState -p DynamicUser -p MemoryDenyWriteExecute
grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/$(systemctl show encoderfile@my-model -p MainPID --value)/status
systemctl stop encoderfile@my-model
systemctl show encoderfile@my-model -p Result -p ExecMainStatus
journalctl --no-pager --output cat --unit encoderfile@my-model
"""


def test_systemd_reads_the_unit_without_a_complaint(built: BuiltFile, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not installed")
    unit = tmp_path / "encoderfile@my-model.service"
    text = UNIT.read_text(encoding="utf-8")
    unit.write_text(text.replace("/opt/encoderfile/%i.encoderfile", str(built.path)), encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.fixture
def checked(built: BuiltFile, fetched: Path, tmp_path: Path) -> str:
    """What the check said inside of a machine where the unit was started."""
    system = fetched / "system"
    if not (system / "etc" / "os-release").exists() or shutil.which("systemd-nspawn") is None or os.geteuid() != 0:
        pytest.skip("`make deploy` as root, with mmdebstrap and systemd-container, makes a system with systemd")
    (tmp_path / "check.sh").write_text(CHECK, encoding="utf-8")
    (tmp_path / "check.sh").chmod(0o755)
    unit, settings = tmp_path / "check.service", tmp_path / "settings"
    unit.write_text(CHECK_UNIT, encoding="utf-8")
    settings.write_text("ENCODERFILE_HTTP_PORT=8181\n", encoding="utf-8")
    binds = {
        unit: "/etc/systemd/system/check.service",
        UNIT: f"/etc/systemd/system/{UNIT.name}",
        settings: "/etc/encoderfile/my-model.env",
        built.path: "/opt/encoderfile/my-model.encoderfile",
    }
    command = [
        *("systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit", "--private-network"),
        *("--volatile=overlay", f"--directory={system}", f"--bind={tmp_path}:/check"),
        *(f"--bind-ro={here}:{there}" for here, there in binds.items()),
        *("--", "--unit=check.service"),
    ]
    subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=PATIENCE)
    return (tmp_path / "out").read_text(encoding="utf-8")


def test_the_unit_starts_and_stops_under_systemd_as_hardened_as_it_says(checked: str) -> None:
    lines = checked.splitlines()
    assert lines[0] == "ready"
    for line in ("ActiveState=active", "DynamicUser=yes", "MemoryDenyWriteExecute=yes"):
        assert line in lines
    for line in ("CapEff:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"):
        assert line in lines
    assert "Result=success" in lines
    assert "ExecMainStatus=0" in lines
    assert any(line.endswith("INFO stopped") for line in lines)
    assert "cpuinfo" not in checked, "onnxruntime could not see the processor"
