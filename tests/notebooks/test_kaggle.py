"""What the cells call, without a notebook."""

import json
import subprocess
import sys
import threading
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.notebooks import execute, kaggle, wheels
from retrieval_leaderboard.notebooks.kaggle import Session
from retrieval_leaderboard.support.devices.cuda import Cuda
from retrieval_leaderboard.support.errors import InputError


def keep(place: Path, root: str, *names: str) -> None:
    """An earlier version's output, which can only be read."""
    for name in names:
        path = place / "input" / root / "leaderboard" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{root} {name}")
        path.chmod(0o444)


def test_what_is_near_is_found_first(session, place):
    for folder in ("b/deep", "a", "z/y/x/w/v"):
        (place / "input" / folder).mkdir(parents=True)
        (place / "input" / folder / "log.csv").touch()
    found = [str(path.relative_to(place / "input")) for path in session.found("log.csv")]
    assert found == ["a/log.csv", "b/deep/log.csv", "z/y/x/w/v/log.csv"]


def test_requirements_that_installed_versions_do_not_meet(tmp_path):
    (tmp_path / "pyproject.toml").write_text(
        '[project]\ndependencies = ["numpy>=999", "no-such-thing[extra]>=1", "pyyaml", '
        "\"other>=1; python_version<'3'\"]\n"
        '[project.optional-dependencies]\nserve = ["httpx>=999"]\ndocs = ["not-asked-for"]'
    )
    assert kaggle.unmet(tmp_path / "pyproject.toml") == [
        "numpy>=999",
        "no-such-thing[extra]>=1",
        "httpx>=999",
    ]
    assert kaggle.unmet(ROOT / "pyproject.toml") == []


def repository(folder: Path, requirement: str, lock: str) -> Path:
    """One that needs a single package."""
    folder.mkdir()
    (folder / "pyproject.toml").write_text(f'[project]\ndependencies = ["{requirement}"]')
    for name in wheels.LOCKS:
        (folder / name).write_text(lock)
    return folder


def wheel(folder: Path, name: str) -> str:
    """A wheel of a package with one module; what a lock says of it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        about = f"{name}-1.0.dist-info"
        archive.writestr(f"{name}.py", "here = 'locked'")
        archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    return f"{name}==1.0 \\\n    --hash=sha256:{sha256(path.read_bytes()).hexdigest()}\n"


def test_attached_wheels_are_installed_for_commands_alone(place, tmp_path, capfd):
    attached = place / "input" / "wheels"
    lock = wheel(attached, "implicit") + wheel(attached, "made_up_package")
    code = repository(tmp_path / "code", "made-up-package>=1", lock)
    session = Session(code, place / "input", place / "working", place / "temp")
    assert session.install() == (
        "installed from the attached wheels, for Kaggle's do not meet made-up-package>=1"
    )
    session.run("-c", "import made_up_package; print(made_up_package.here)")
    assert "locked" in capfd.readouterr().out
    assert subprocess.run([sys.executable, "-c", "import made_up_package"], capture_output=True).returncode
    assert session.install().startswith("to install: nothing")


def test_wheels_that_are_not_those_of_the_locks_are_refused(place, tmp_path):
    lock = wheel(place / "input" / "wheels", "implicit").rstrip("\n")
    another = lock[:-1] + ("1" if lock.endswith("0") else "0")
    code = repository(tmp_path / "code", "made-up-package>=1", another + "\n")
    session = Session(code, place / "input", place / "working", place / "temp")
    with pytest.raises(
        InputError, match=r"internet on, or attach the folder that 'python -m notebooks.wheels"
    ):
        session.install()
    assert not session.packages.exists()


def test_pytorch_is_left_to_kaggle(place, tmp_path):
    code = repository(tmp_path / "code", "torch>=999", "")
    with pytest.raises(InputError, match="torch>=999 is needed: choose Settings → Environment"):
        Session(code, place / "input", place / "working", place / "temp").install()


def test_a_gpu_that_pytorch_cannot_use_is_said(session, monkeypatch, capsys):
    monkeypatch.setattr(Cuda, "may_be_here", lambda self: True)
    assert session.device() == "cpu"
    said = capsys.readouterr().out
    assert "THIS PYTORCH CANNOT USE THE GPU: going on with the CPU" in said and kaggle.TURN_ON in said
    monkeypatch.setattr(kaggle, "PROBE", "print('Tesla T4')")
    assert session.device() == "cuda"
    assert capsys.readouterr().out == "GPU: Tesla T4\n"


def test_all_that_the_latest_version_kept_is_brought_and_can_be_written(session, place):
    names = (
        "results/aliec/tuning.db",
        "results/aliec/checkpoints/a/training.safetensors",
        "configs/aliec.yaml",
    )
    keep(place, "notebooks/mine", *names)
    assert session.bring_back() == "going on from notebooks/mine/leaderboard"
    for name in names:
        path = place / "working" / "leaderboard" / name
        assert path.read_text() == f"notebooks/mine {name}" and path.stat().st_mode & 0o200
    assert session.bring_back() == "going on with what is here"


def test_the_outputs_of_two_versions_are_refused(session, place):
    keep(place, "old", "results/a")
    keep(place, "new", "results/a")
    with pytest.raises(
        InputError, match=r"new/leaderboard, old/leaderboard: attach the output of the latest"
    ):
        session.bring_back()
    assert not (place / "working" / "leaderboard").exists()


def test_what_runs_too_long_is_stopped_and_its_last_words_are_printed(session, capsys):
    waiting = (
        "import sys, time\nprint('begun')\ntry:\n    time.sleep(60)\n"
        "except KeyboardInterrupt:\n    print('kept'); sys.exit(130)"
    )
    assert not session.run("-c", waiting, hours=1 / 3600)
    assert capsys.readouterr().out == "begun\nkept\n"
    assert session.run("-c", "print('done')", hours=1)
    timers = [each for each in threading.enumerate() if isinstance(each, threading.Timer)]
    assert all(each.finished.is_set() for each in timers)


def test_a_command_that_fails_is_said(session, capsys):
    with pytest.raises(InputError, match="ended with exit code 2: the lines above say why"):
        session.leaderboard("--dataset", "aliek", device="cpu")
    assert "did you mean 'aliec'?" in capsys.readouterr().out


def test_a_service_that_does_not_start_is_said(session, place):
    with (
        pytest.raises(InputError, match="the service does not start"),
        session.served(place / "working" / "no-bundle"),
    ):
        pass


HEADER = "model,name,official,status,seed,ndcg@20"


def test_the_best_official_model_is_the_best_over_its_seeds(tmp_path):
    rows = ["a,a,True,done,0,0.9", "a,a,True,done,1,0.1", "b,b,True,done,0,0.6", "c,c,False,done,0,0.95"]
    rows += ["d,d,True,failed,0,"]
    (tmp_path / "leaderboard.csv").write_text("\n".join([HEADER, *rows]))
    for name in ("a-seed0-x", "b-seed0-y", "c-seed0-z"):
        (tmp_path / "runs" / name).mkdir(parents=True)
    assert kaggle.best_run(tmp_path).name == "b-seed0-y"


def test_the_opening_of_a_page(tmp_path):
    (tmp_path / "page.md").write_text("# T\n\n**Verdict:** x\n\n## Models\n\n| [a](#a) |\n\n## a\n\nmore\n")
    assert kaggle.opening(tmp_path / "page.md") == "# T\n\n**Verdict:** x\n\n## Models\n\n| a |\n"
    (tmp_path / "page.md").write_text(
        "# T\n\n## Models, seconds\n\na\n\n## Explored further\n\nb\n\n## Slices\n\nc\n"
    )
    assert (
        kaggle.opening(tmp_path / "page.md") == "# T\n\n## Models, seconds\n\na\n\n## Explored further\n\nb\n"
    )


def test_the_repository_is_cloned_where_it_is_not_attached(tmp_path, monkeypatch):
    notebook = json.loads((execute.FOLDER / "train_kaggle.ipynb").read_text())
    source = {cell["id"]: "".join(cell["source"]) for cell in notebook["cells"]}["session"]
    monkeypatch.setenv(execute.PLACE, str(tmp_path))

    def started(address: str) -> subprocess.CompletedProcess[str]:
        script = f"REPOSITORY = {address!r}\n{source}\nprint(CODE)"
        return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert started("").stderr == "attach this repository as a dataset, or put its address into REPOSITORY\n"
    origin = tmp_path / "origin"
    origin.mkdir()
    (origin / "run_all.py").touch()
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    for words in (["init", "--quiet"], ["add", "."], [*identity, "commit", "--quiet", "-m", "all"]):
        subprocess.run(["git", *words], cwd=origin, check=True)
    assert started(origin.as_uri()).stdout == f"{tmp_path / 'temp' / 'repository'}\n"
    assert (tmp_path / "temp" / "repository" / "run_all.py").is_file()
