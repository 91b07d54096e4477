"""The lock files: a hash for every file of every pin, and no more than that."""

import re
import tomllib

import pytest

from retrieval_leaderboard import ROOT

LOCKS = (
    "requirements.lock",
    "requirements-test.lock",
    "requirements-serve.lock",
    "requirements-big.lock",
    "requirements-docs.lock",
    "requirements-report.lock",
    "requirements-onnx.lock",
    "requirements-spark.lock",
)
PIN = re.compile(r"([a-z0-9-]+)==\S+( ; [^\\]+)? \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")


def blocks(name):
    """Package → its hashes."""
    found = {}
    for line in (ROOT / name).read_text().splitlines():
        if pin := PIN.fullmatch(line):
            hashes = found.setdefault(pin[1], [])
        elif HASH.fullmatch(line):
            hashes.append(line)
        else:
            assert line.startswith(("# ", "-r requirements.lock", "python-3.11-or-newer-is-needed @ ")), line
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_hashes(name):
    assert all(blocks(name).values())


def test_every_requirement_is_pinned_and_torch_apart():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    names = ("test", "serve", "big", "docs", "report", "onnx", "spark")
    needed = dict(zip(LOCKS, (project["dependencies"], *(extras[name] for name in names)), strict=True))
    for name, requirements in needed.items():
        named = {re.split("[>=]", line)[0].lower().replace("_", "-") for line in requirements}
        assert named - {"torch"} <= set(blocks("requirements.lock")) | set(blocks(name))
    everything = set().union(*map(blocks, LOCKS))
    assert "torch" not in everything and not any(package.startswith("nvidia-") for package in everything)
    assert re.fullmatch(r"torch==[\d.]+\n", (ROOT / "requirements-torch.txt").read_text())


def test_wheels_of_other_platforms_are_there():
    # 3 Pythons on Linux (two processors), macOS and Windows: numba has a wheel for each.
    assert len(blocks("requirements.lock")["numba"]) >= 12
    assert "colorama" in blocks("requirements.lock"), "tqdm needs it on Windows"
