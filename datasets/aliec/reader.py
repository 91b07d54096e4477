"""Ali_Display_Ad_Click: display ads clicked on Taobao, 2017-05-06 to 05-13, as its official files give it.

Clicks (clk = 1) are the interactions; repeated clicks of an ad stay, in the order of the file. The last
two days are the validation and the test period. Every ad of ad_feature may be returned.
https://tianchi.aliyun.com/dataset/56
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from retrieval_leaderboard.datasets.aliec import published
from retrieval_leaderboard.datasets.aliec.cache import cached
from retrieval_leaderboard.datasets.aliec.clicks import DAY_SECONDS, FIRST_SECOND
from retrieval_leaderboard.datasets.aliec.parse import FILES, Parsed, parse
from retrieval_leaderboard.datasets.aliec.raw_files import RawFile, find_raw_file
from retrieval_leaderboard.datasets.aliec.simulator import MARKER
from retrieval_leaderboard.datasets.log import Log
from retrieval_leaderboard.support import progress
from retrieval_leaderboard.support.errors import InputError
from retrieval_leaderboard.support.storage import checksums

PERIODS = (FIRST_SECOND + 6 * DAY_SECONDS, FIRST_SECOND + 7 * DAY_SECONDS)
"""2017-05-12 and 2017-05-13, 00:00 at UTC+8, in unix seconds."""


class DamagedError(InputError):
    """Generated files are not as they were written."""


def find(folder: Path) -> bool:
    """Whether the three official files are in `folder`, plain, as .gz or inside a .zip.

    Raises:
        InputError: Some are there and some are not, or a zip archive is damaged.
    """
    return _sources(folder) is not None


def load(folder: Path, cache: Path) -> Log:
    """Read the files in `folder`, or what an earlier load kept of exactly these files under `cache`.

    Files beside the generator's marker are named aliec-sim, never aliec.

    Raises:
        InputError: Files are missing, empty, damaged, or have a wrong column or row.
        DamagedError: Generated files are not as they were written.
    """
    sources = _sources(folder)
    if sources is None:
        raise InputError(
            f"{folder} holds none of {', '.join(FILES)}: put them there, plain, .gz or in a .zip"
        )
    parsed = cached(cache, sources, lambda: _parse(folder, sources))
    marker = _marker(folder, sources)
    return _log(parsed, None if marker is None else _scale(marker))


def _parse(folder: Path, sources: dict[str, RawFile]) -> Parsed:
    """What the files say, once those that the generator wrote are found to be as it wrote them."""
    damage = checksums.damage(folder) if (folder / checksums.FILE).exists() else ""
    if damage:
        raise DamagedError(
            f"{folder}: {damage}; generate it again, or remove {checksums.FILE} if you changed it yourself"
        )
    return parse(sources)


def _sources(folder: Path) -> dict[str, RawFile] | None:
    found = {name: find_raw_file(folder, name) for name in FILES}
    missing = [name for name, source in found.items() if source is None]
    if len(missing) == len(FILES):
        return None
    if missing:
        raise InputError(f"{folder} lacks {' and '.join(missing)}: the three official files belong together")
    return {name: source for name, source in found.items() if source is not None}


def _marker(folder: Path, sources: dict[str, RawFile]) -> RawFile | None:
    """The generator's marker, in the folder or packed in a .zip like the files."""
    if (folder / MARKER).exists():
        return RawFile(folder / MARKER)
    packed = any(source.member for source in sources.values())
    return find_raw_file(folder, MARKER) if packed else None


def _scale(marker: RawFile) -> str:
    """The scale of generated files; a marker that cannot be read still marks them as such."""
    try:
        with marker.open() as (stream, _, _):
            return f"scale {float(json.loads(stream.read())['scale'])}"
    except (InputError, ValueError, KeyError, TypeError) as error:
        progress.say(f"{marker} is damaged ({error}): the files beside it count as synthetic, scale unknown")
        return "scale unknown"


def _log(parsed: Parsed, scale: str | None) -> Log:
    """The log of the parsed files; `scale` is None for real ones."""
    clicked = int(np.count_nonzero(np.bincount(parsed.item)))
    counts = (len(parsed.user_ids), len(parsed.item_ids), clicked, len(parsed.user), parsed.impressions)
    counted = dict(zip(published.COUNTS, counts, strict=True))
    name = "aliec" if scale is None else "aliec-sim"
    progress.say(f"{name}: " + ", ".join(f"{number:,} {what}" for what, number in counted.items()))
    notes = () if scale is not None else _differences(counted)
    for note in notes:
        progress.say(f"warning: {note}")
    return Log(
        name=name,
        user=parsed.user,
        item=parsed.item,
        user_ids=parsed.user_ids.astype(str).astype(object),
        item_ids=parsed.item_ids.astype(str).astype(object),
        timestamp=parsed.timestamp,
        periods=PERIODS,
        listed=parsed.listed,
        user_features=parsed.user_features,
        item_features=parsed.item_features,
        context=parsed.context,
        title=name if scale is None else f"{name}, synthetic, {scale}",
        synthetic=scale is not None,
        notes=notes,
    )


def _differences(counted: dict[str, int]) -> tuple[str, ...]:
    return tuple(
        f"{counted[what]:,} {what} where {number:,} are published"
        for what, number in published.COUNTS.items()
        if counted[what] != number
    )
