"""Bad input is told apart from bugs: it gets one sentence and exit code 2, never a traceback."""

import errno
import re
import sys
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from functools import wraps
from typing import ParamSpec

P = ParamSpec("P")
REFUSALS = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR}
REFUSALS |= {errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EMFILE}
"""How the system says that a file or folder, wherever it was named, cannot be used."""


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


def unknown(kind: str, name: object, choices: Iterable[str]) -> InputError:
    """An error for a name that is not among `choices`, naming the nearest one that is.

    A name from YAML may be something else than text: `no` is read as False.
    """
    known = sorted(choices)
    near = get_close_matches(str(name), known, n=1, cutoff=0.4)
    hint = f"did you mean '{near[0]}'? " if near else ""
    return InputError(f"unknown {kind} '{name}': {hint}known: {', '.join(known)}")


def in_one_sentence(main: Callable[P, int]) -> Callable[P, int]:
    """A command whose InputError, or what the system refuses, is printed in one line, with exit code 2."""

    @wraps(main)
    def told(*args: P.args, **kwargs: P.kwargs) -> int:
        try:
            return main(*args, **kwargs)
        except InputError as error:
            print(f"error: {error}", file=sys.stderr)
        except OSError as error:
            if error.errno not in REFUSALS or error.filename is None:
                raise
            print(f"error: {InputError(f'{error.filename}: {error.strerror}')}", file=sys.stderr)
        return 2

    return told
