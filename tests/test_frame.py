"""The frame: locks that are whole and name no place, a wheel that holds everything, and no addresses in the files."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.conftest import FORKING, LONGEST_FIRST

ROOT = Path(__file__).parents[1]
ROOMS = ("events", "projections", "services", "cli")
LOCKS = ("requirements.txt", "requirements-dev.txt", "requirements-build.txt")


def pins(lock: str) -> dict[str, str]:
    """Package and version of each pin."""
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE))


def wanted(requirement: str) -> str:
    """The package that a requirement names, written as in a lock."""
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match is not None
    return re.sub(r"[-_.]+", "-", match[0]).lower()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_hashes_and_nothing_names_a_place(lock: str) -> None:
    lines = (ROOT / lock).read_text().splitlines()
    pinned = False
    for line in lines:
        if re.match(r"[a-z0-9]", line):
            assert re.fullmatch(r"[a-z0-9._-]+==\S+( ; [^\\]+)? \\", line), line
            pinned = True
        elif line.strip() and not line.lstrip().startswith("#"):
            assert re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line), line
    assert pinned
    assert not [line for line in lines if "://" in line or "@ " in line]


def test_the_locks_hold_what_the_project_asks_for_and_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    runtime, dev, build = map(pins, LOCKS)
    assert {wanted(line) for line in project["project"]["dependencies"]} <= set(runtime)
    assert {wanted(line) for line in project["project"]["optional-dependencies"]["dev"]} <= set(dev)
    assert {wanted(line) for line in project["build-system"]["requires"]} <= set(build)
    assert runtime.items() <= dev.items()
    assert all(dev.get(name, version) == version for name, version in build.items())


def committed() -> list[Path]:
    """Every file that git knows."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_file_names_a_package_registry_or_a_folder_of_one_machine() -> None:
    registry = re.compile(rb"python" rb"hosted\.org|pypi\." rb"org|registry\.npm" rb"js\.org|deb\." rb"debian\.org")
    machine = re.compile(rb"(?:^|[^A-Za-z0-9_.])/(?:work|root|farm)/", re.MULTILINE)
    named = [
        f"{file.relative_to(ROOT)}: {found[0]!r}"
        for file in committed()
        for pattern in (registry, machine)
        if (found := pattern.search(file.read_bytes()))
    ]
    assert named == []


def test_the_wheel_holds_every_file_of_the_rooms(tmp_path: Path) -> None:
    """Also SQL, templates and configuration."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    needed = {str(file.relative_to(ROOT)) for file in committed() if file.relative_to(ROOT).parts[0] in ROOMS}
    assert needed <= packed
    assert "services/nats-server.conf" in packed
    metadata = next(name for name in packed if name.endswith("entry_points.txt"))
    assert "repairchain = cli.main:main" in zipfile.ZipFile(wheel).read(metadata).decode()


def test_the_rooms_import_downwards_only() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


def test_the_files_that_are_run_in_turns_of_their_own_are_there() -> None:
    """Else one that was moved would be run last, or by a worker that imports everything for it once more."""
    files = {file.relative_to(ROOT).as_posix() for file in committed()}
    assert set(FORKING) <= files
    assert set(LONGEST_FIRST) <= {file.rpartition("/")[2] for file in files}
