"""What commands that torchrun started say to each other."""

import io
import pickle
import threading

import pytest

from retrieval_leaderboard.evaluation.planted import planted
from retrieval_leaderboard.evaluation.runs import isolation, torchrun
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.errors import InputError
from tests.support.two_ranks import needs_ranks

DATA = planted()


@pytest.fixture
def commands(monkeypatch):
    """Two of them, with a store in this process."""
    from torch.distributed import HashStore

    monkeypatch.setattr(progress, "_quiet", False)  # Who follows is quiet.
    store, found = HashStore(), []
    for rank in (0, 1):
        place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "LOCAL_WORLD_SIZE": 2, "GROUP_RANK": 0}
        for name, value in {**place, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": 1}.items():
            monkeypatch.setenv(name, str(value))
        found.append(torchrun.Torchrun())
        found[-1].store = store
    return found


def follow(command, load) -> tuple[threading.Thread, list]:
    said: list = []
    thread = threading.Thread(target=lambda: said.append(command.follow(load)), daemon=True)
    thread.start()
    return thread, said


@needs_ranks
def test_a_command_that_follows_loads_trains_and_ends(commands, monkeypatch) -> None:
    first, second = commands
    trained = []

    def call_together(places, function, *args, watch):
        trained.append((places[0]["RANK"], function, args))
        return function(*args)

    monkeypatch.setattr(isolation, "call_together", call_together)
    thread, said = follow(second, lambda: DATA)
    first.lead(DATA)
    assert first.call(len, (DATA, "settings")) == 2
    first.release()
    thread.join(60)
    assert said == [0]
    assert sorted(rank for rank, _, _ in trained) == ["0", "1"]
    assert all(args == ((DATA, "settings"),) for _, _, args in trained)


@needs_ranks
def test_without_data_there_is_nothing_to_follow(commands) -> None:
    thread, said = follow(commands[1], lambda: pytest.fail("it loads"))
    commands[0].release()
    thread.join(60)
    assert said == [0]


@needs_ranks
def test_other_data_is_refused(commands) -> None:
    first, second = commands
    first.lead(DATA)
    with pytest.raises(InputError, match="rank 1 of 2 has loaded data of fingerprint"):
        second.follow(lambda: planted(absent=2))


@needs_ranks
def test_rank_0_says_what_failed_first(commands, monkeypatch) -> None:
    first, second = commands
    monkeypatch.setattr(isolation, "LOOK_SECONDS", 0.01)
    second.calls = 1
    died = pickle.dumps(isolation.Crash("its process was killed by SIGKILL", died=True))
    first.store.set("crash/1/1", died)

    def lost(*_, **__):
        raise isolation.Crash("RuntimeError: Connection closed by peer")

    monkeypatch.setattr(isolation, "call_together", lost)
    with pytest.raises(isolation.Crash, match=r"^rank 1 of 2: its process was killed by SIGKILL$"):
        first.call(len, "")


def test_data_is_not_sent() -> None:
    sent = torchrun._pickled(("word", DATA))
    assert len(sent) < 100
    assert torchrun._Unpickler(io.BytesIO(sent), DATA).load() == ("word", DATA)
