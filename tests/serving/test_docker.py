"""The container's files name what is there, and the service starts from what they copy, as they start it."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time

import pytest
import yaml

from retrieval_leaderboard import ROOT
from retrieval_leaderboard.benchmarks.serving import load
from retrieval_leaderboard.serving.__main__ import parser
from retrieval_leaderboard.serving.http.observed import PATHS
from retrieval_leaderboard.serving.http.server import GRACE_SECONDS

DOCKER = ROOT / "serving" / "docker"
LINES = re.sub(r"\\\n\s*", "", (DOCKER / "Dockerfile").read_text(encoding="utf-8")).splitlines()
COMPOSE = yaml.safe_load((DOCKER / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICE, WATCHER = COMPOSE["services"]["service"], COMPOSE["services"]["prometheus"]
PINNED = re.compile(r"[\w./-]+:[\w.-]*\d+\.\d+\.\d+[\w.-]*@sha256:[0-9a-f]{64}")


def said(instruction):
    """What stands after each `instruction` of the Dockerfile."""
    return [line.removeprefix(instruction).strip() for line in LINES if line.startswith(f"{instruction} ")]


COPIED = [shlex.split(line)[:-1] for line in said("COPY")]
ENTRYPOINT = json.loads(said("ENTRYPOINT")[0])
HEALTH = json.loads(said("HEALTHCHECK")[0].partition("CMD ")[2])


def test_what_is_copied_is_there_and_not_ignored():
    ignored = (DOCKER / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    names = [name.rstrip("/") for line in COPIED for name in line]
    assert all((ROOT / name).exists() for name in names)
    assert {line[1:] for line in ignored if line.startswith("!")} == set(names)


def test_images_are_pinned_and_the_user_is_not_root():
    for image in (*said("FROM"), WATCHER["image"]):
        assert PINNED.fullmatch(image), image
    (user,) = said("USER")
    assert user != "root" and any(
        f"useradd --uid 1000 --no-create-home {user}" in line for line in said("RUN")
    )


def test_requirements_are_locked_and_pytorch_is_the_build_for_processors():
    (install,) = [line for line in said("RUN") if "pip install" in line]
    assert "--requirement requirements-serve.lock" in install
    assert "--index-url https://download.pytorch.org/whl/cpu --requirement requirements-torch.txt" in install


def test_the_command_has_options_that_there_are():
    words = [*ENTRYPOINT[ENTRYPOINT.index("serving") + 1 :], *SERVICE["command"]]
    options = parser().parse_args(words)
    assert [str(options.port)] == said("EXPOSE") and [str(options.bundle)] == said("VOLUME")
    assert f"http://127.0.0.1:{options.port}/health" in HEALTH[-1]


def test_services_name_files_ports_and_each_other():
    build = SERVICE["build"]
    assert (DOCKER / build["context"]).resolve() == ROOT and (ROOT / build["dockerfile"]).is_file()
    for volume in WATCHER["volumes"]:
        assert not volume.startswith(".") or (DOCKER / volume.split(":")[0]).is_file()
    assert SERVICE["volumes"][0].endswith(f":{said('VOLUME')[0]}")
    ports = [port for service in (SERVICE, WATCHER) for port in service["ports"]]
    assert all(port.startswith("127.0.0.1:") for port in ports), "there is no token and no TLS"
    (scraped,) = yaml.safe_load((DOCKER / "prometheus.yml").read_text(encoding="utf-8"))["scrape_configs"]
    assert scraped["metrics_path"] in PATHS
    ((host, port),) = [target.split(":") for target in scraped["static_configs"][0]["targets"]]
    assert SERVICE["command"] == ["--allowed-host", host] and host in COMPOSE["services"]
    assert [port] == said("EXPOSE")


def test_a_container_has_the_time_that_open_requests_have():
    assert int(SERVICE["stop_grace_period"].removesuffix("s")) > GRACE_SECONDS
    assert said("STOPSIGNAL") == ["SIGTERM"]


@pytest.mark.slow
def test_the_service_starts_from_what_is_copied_is_healthy_and_stops(infonce_bundle, tmp_path):
    app, bundle = tmp_path / "app", shutil.copytree(infonce_bundle, tmp_path / "bundle")
    for name in (name for line in COPIED for name in line):
        target = app / name
        target.parent.mkdir(exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, target)
    port = str(load.free_port())
    placed = {"python": sys.executable, "/bundle": str(bundle), said("EXPOSE")[0]: port}
    line = [placed.get(word, word) for word in ENTRYPOINT]
    check = [sys.executable, *HEALTH[1:-1], HEALTH[-1].replace(said("EXPOSE")[0], port)]
    environment = {"PATH": os.environ["PATH"], "NUMBA_CACHE_DIR": str(tmp_path / "numba")}
    with subprocess.Popen(line, cwd=app, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert f"items at http://0.0.0.0:{port}" in process.stdout.readline()
            assert subprocess.run(check, check=False).returncode == 0
            process.send_signal(signal.SIGTERM)
            began = time.monotonic()
            assert process.wait(GRACE_SECONDS) == 0 and time.monotonic() - began < GRACE_SECONDS
        finally:
            process.kill()
    assert subprocess.run(check, stderr=subprocess.DEVNULL, check=False).returncode != 0
