"""Where the trials of searches are stored: Optuna's SQLite file, and what came out of each trial, sealed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from retrieval_leaderboard.support.errors import InputError, UnwritableError
from retrieval_leaderboard.support.storage import sealed
from retrieval_leaderboard.support.storage.sealed import DamagedError

if TYPE_CHECKING:
    import optuna

DATABASE, OUTCOME = "tuning.db", "outcome"
SQLITE = "sqlite:///"
DAMAGED = {"SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_ERROR", "SQLITE_CONSTRAINT"}
Outcome = dict[str, Any]
"""What came out of a trial: its place in the "order" of the search, "seconds", and its metrics, or the
"reason" why it has none; the length of training where there were several."""


def url(board: Path) -> str:
    """How Optuna is told of a board's database."""
    return f"{SQLITE}{quote(str(board / DATABASE))}"


@contextmanager
def usable(storage: str) -> Iterator[None]:
    """Within, what SQLite and Optuna raise of the database at the URL `storage` is one sentence.

    Raises:
        DamagedError: it is damaged.
        UnwritableError: it cannot be read or written, as on a full disk.
    """
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    path = unquote(storage.removeprefix(SQLITE))
    try:
        yield
    except (SQLAlchemyError, StorageInternalError) as error:
        wrapped = error.__cause__ if isinstance(error, StorageInternalError) else error
        cause = getattr(wrapped, "orig", None) or wrapped or error
        if getattr(cause, "sqlite_errorname", "SQLITE_ERROR") in DAMAGED:
            raise _damaged(path, cause) from error
        raise UnwritableError(f"cannot use {path}: {cause}; free some space, or see whose it is") from error


def opened(storage: str, name: str, anew: bool) -> optuna.Study:
    """The study `name`, without its trials where it is to begin `anew`.

    Raises:
        DamagedError: the database is damaged.
        InputError: another version of Optuna wrote it.
        UnwritableError: as `usable`.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)  # What it warns of, of a damaged file, is said here.
    path = unquote(storage.removeprefix(SQLITE))
    with usable(storage):
        try:
            if anew and name in optuna.get_all_study_names(storage):
                optuna.delete_study(study_name=name, storage=storage)
            study = optuna.create_study(
                study_name=name, storage=storage, direction="maximize", load_if_exists=True
            )
            study.get_trials()
        except (ValueError, KeyError, TypeError) as error:  # Optuna's, of what it reads there.
            raise _damaged(path, error) from error
        except RuntimeError as error:  # Optuna's, of tables that it does not know.
            raise InputError(f"{path} cannot be used: {' '.join(str(error).split())}") from error
    return study


def write_outcome(trial: optuna.Trial, found: Outcome, state: optuna.trial.TrialState) -> dict[str, Any]:
    """Write down what came out of `trial`, which is to end as `state`; what was written, for `end`."""
    written = sealed.seal({"params": trial.params, "state": state.name, **found})
    trial.set_user_attr(OUTCOME, written)
    return written


def end(study: optuna.Study, number: int, written: object) -> None:
    """End a trial as its outcome says, or as one that counts for nothing where none was `written` whole."""
    from optuna.trial import TrialState

    whole = isinstance(written, dict) and sealed.CHECKSUM in written and sealed.is_whole(written)
    said: dict[str, Any] = written if isinstance(written, dict) and whole else {"state": "FAIL"}
    state = TrialState[said["state"]]
    study.tell(number, said["ndcg"] if state == TrialState.COMPLETE else None, state)


def finished_trials(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    """Trials that came to an end: with a score, or failed for a reason.

    Raises:
        DamagedError: one is not what was written.
    """
    trials = study.get_trials(deepcopy=False)
    ended = [trial for trial in trials if trial.state.is_finished() and OUTCOME in trial.user_attrs]
    for trial in ended:
        if not _is_whole(trial):
            raise DamagedError(
                f"trial {trial.number} of the search {study.study_name} in {DATABASE} is damaged: "
                "--force searches anew"
            )
    return ended


def outcome(trial: optuna.trial.FrozenTrial) -> Outcome:
    """What came out of a finished trial."""
    stored = trial.user_attrs[OUTCOME]
    return {key: value for key, value in stored.items() if key not in ("params", "state", sealed.CHECKSUM)}


def _is_whole(trial: optuna.trial.FrozenTrial) -> bool:
    """Whether a trial is as it was stored; of those from before there were checksums nothing can be said."""
    stored = trial.user_attrs[OUTCOME]
    if not isinstance(stored, dict) or not sealed.is_whole(stored):
        return False
    if sealed.CHECKSUM not in stored:
        return True
    values = [stored["ndcg"]] if trial.state.name == "COMPLETE" else None
    said = sealed.plain({"params": trial.params, "state": trial.state.name})
    return trial.values == values and all(stored[key] == value for key, value in said.items())


def _damaged(path: str, why: object) -> DamagedError:
    what = " ".join(str(why).split())
    return DamagedError(f"{path} is damaged ({what}): remove it, and the searches that it keeps begin anew")
