"""Bad input differs from bugs: it gets one sentence and exit code 2, never a traceback."""

import errno
import os
import re
import sys
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from functools import wraps
from importlib.util import find_spec
from pathlib import Path
from typing import ParamSpec

P = ParamSpec("P")
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""How the system says that there is no room,"""
UNWRITABLE = FULL | {errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO, errno.ENOTDIR, errno.EEXIST}
UNWRITABLE |= {errno.ENAMETOOLONG}
"""that a file or folder cannot be written,"""
REFUSALS = UNWRITABLE - {errno.EEXIST} | {errno.ELOOP, errno.EMFILE}
"""and that one, wherever it was named, cannot be used."""
LONGEST_SHOWN = 60
"""Characters of a value that a sentence quotes"""
ABANDONED = 128 + 13
"""Exit code of what SIGPIPE would have ended"""


class InputError(Exception):
    """What the user gave cannot be used.

    The message is one sentence that says what is wrong, where (file, line, key), and what to do. What it
    quotes is brought into one line that any terminal can show.
    """

    def __init__(self, message: str) -> None:
        super().__init__("".join(map(_shown, " ".join(re.split(r"[\r\n]+", message)))))


def _shown(character: str) -> str:
    return character if character.isprintable() or character == "\t" else ascii(character)[1:-1]


class UnwritableError(InputError):
    """There is no room, or no right, to write what has to be kept."""


def shortened(text: str) -> str:
    """As much of a text as fits into a sentence."""
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def unknown(kind: str, name: object, choices: Iterable[str]) -> InputError:
    """An error for a name that is not among `choices`, naming the nearest one that is.

    A name from YAML may be something else than text: `no` is read as False.
    """
    known = sorted(set(choices))
    near = get_close_matches(str(name), known, n=1, cutoff=0.4)
    hint = f"did you mean '{near[0]}'? " if near else ""
    return InputError(f"unknown {kind} '{name}': {hint}known: {', '.join(known)}")


def not_yaml(path: Path, error: Exception) -> InputError:
    """For a file that a YAML parser has refused, with the line where it says one."""
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    where = f", line {mark.line + 1}" if mark else ""
    return InputError(f"{path}{where}: it is not valid YAML: {problem or error}; correct it")


def need(packages: Iterable[str], file: str) -> None:
    """InputError where one of `packages` is not installed, naming the requirements file that has it."""
    absent = [name for name in packages if find_spec(name) is None]
    if absent:
        raise InputError(f"{', '.join(absent)} not installed: pip install -r {file}")


def in_one_sentence(main: Callable[P, int]) -> Callable[P, int]:
    """A command whose InputError, or what the system refuses, is printed in one line, with exit code 2.

    Where nobody reads its output any more, as after `| head`, it ends without a word (141).
    """

    @wraps(main)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> int:
        try:
            code = _exit_code(main, *args, **kwargs)
            sys.stdout.flush()
        except BrokenPipeError:
            if not abandoned():
                raise
            return ABANDONED
        return code

    return wrapper


def _exit_code(main: Callable[P, int], *args: P.args, **kwargs: P.kwargs) -> int:
    try:
        return main(*args, **kwargs)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
    except OSError as error:
        if error.errno not in REFUSALS or (error.filename is None and error.errno != errno.ENOSPC):
            raise
        where = "the output" if error.filename is None else error.filename
        print(f"error: {InputError(f'{where}: {error.strerror}')}", file=sys.stderr)
    except SystemExit:  # From argparse, after its help.
        sys.stdout.flush()
        raise
    return 2


def abandoned() -> bool:
    """Whether nobody reads the standard output any more; what is still printed then goes nowhere."""
    try:
        print(flush=True)  # Only writing tells; where it was another pipe that broke, a line stays empty.
    except BrokenPipeError:
        pass
    else:
        return False
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
    return True
