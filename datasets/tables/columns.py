"""Which column of a user's file is the user, the item, the time, the rating, the event and the weight."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from retrieval_leaderboard.support.errors import InputError, unknown

REQUIRED = ("user", "item")

# An id comes before a title, and a person before a session.
NAMES = {
    "user": (
        *("userid", "uid", "customerid", "visitorid", "reviewerid", "clientid", "memberid", "accountid"),
        *("buyerid", "playerid", "listenerid", "profileid", "personid", "shopperid", "householdid"),
        *("fullvisitorid", "userpseudoid", "cookieid", "deviceid", "householdkey"),
        *("user", "username", "customer", "visitor", "reviewer", "client", "member"),
        *("sessionid", "session"),
    ),
    "item": (
        *("itemid", "iid", "productid", "sku", "skuid", "stockcode", "articleid", "movieid", "bookid"),
        *("songid", "trackid", "artistid", "videoid", "newsid", "businessid", "venueid", "locationid"),
        *("poiid", "gameid", "appid", "recipeid", "animeid", "courseid", "outfitid", "merchantid"),
        *("listingid", "offerid", "contentid", "documentid", "docid", "goodsid", "adid", "aid"),
        *("parentasin", "asin", "isbn"),
        *("item", "product", "article", "movie", "book", "song", "track", "artist", "video", "game"),
    ),
    "timestamp": (
        *("timestamp", "unixtime", "unixreviewtime", "unixtimestamp", "timestampms", "timems", "ts"),
        *("eventtime", "eventtimestamp", "utctimestamp", "clicktime", "viewtime", "purchasetime"),
        *("createdat", "updatedat", "playedat", "listenedat", "watchedat", "datetime", "time"),
        *("invoicedate", "orderdate", "orderpurchasetimestamp", "purchasedate", "transactiondate"),
        *("transactiondt", "tdat", "eventdate", "reviewdate", "reviewtime", "date"),
    ),
    "rating": ("rating", "ratings", "score", "stars", "overall", "bookrating", "userrating"),
    "event": (
        *("event", "events", "eventtype", "eventname", "behavior", "behaviour", "behaviortype"),
        *("behaviourtype", "action", "actiontype", "activity", "activitytype", "interaction"),
        *("interactiontype", "feedback", "feedbacktype", "type"),
    ),
    "weight": (),
}
"""role → the column names it is known by, as `plain` writes them; the first that is there is taken. Weights
are never guessed, and events only where they are asked for"""

LABELS = ("label", "labels", "target", "click", "clicked", "clk", "isclick", "like", "liked", "islike")
"""Names of a rating where a least rating is asked for and no rating is there"""

TIME_LIKE = re.compile(r"time|date|timestamp|\bday|[_ ]at$|^ts$|^dt$|_dt$|when", re.IGNORECASE)
ADVICE = "name it: --columns"


def plain(name: str) -> str:
    """A column's name without case, separators and RecBole's `:token`."""
    return re.sub(r"[\W_]+", "", name.split(":")[0].lower())


def parse(value: Any, where: str = "--columns") -> dict[str, str]:
    """Role → column name, from a mapping or "user=NAME,item=NAME"; "" where an optional column is not used.

    Raises:
        InputError: text of another form, another role, or a role given twice; `where` it stands comes first.
    """
    found = _mapped(value, where) if isinstance(value, Mapping) else _parsed(str(value), where)
    for role, name in found.items():
        if role not in NAMES:
            raise InputError(f"{where}: {unknown('column role', role, NAMES)}")
        if not name and role in REQUIRED:
            raise InputError(f"{where}: the {role} needs a column; name it")
    return found


def _mapped(value: Mapping[Any, Any], where: str) -> dict[str, str]:
    for role, name in value.items():
        if isinstance(name, bool) or not isinstance(name, str | int | None):
            raise InputError(f"{where}, {role}: {name!r} is no name of a column; give it as text")
    return {str(role): "" if name is None else str(name) for role, name in value.items()}


def _parsed(text: str, where: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for part in re.split(r",(?=\s*\w+\s*=)", text):
        role, equals, name = (each.strip() for each in part.partition("="))
        if not equals or role not in NAMES:
            problem = unknown("column role", role, NAMES)
            raise InputError(f"{where} '{text}': give it as user=NAME,item=NAME; {problem}")
        if role in pairs:
            raise InputError(f"{where} '{text}': {role} is given twice; leave one out")
        pairs[role] = name
    return pairs


def option(given: Mapping[str, str], role: str, name: str) -> str:
    """The option that gives `role` to the column `name`, beside what is `given`."""
    pairs = ",".join(f"{known}={column}" for known, column in {**given, role: name}.items())
    return f"--columns {shlex.quote(pairs)}"


def find(
    path: Path, names: list[str], given: Mapping[str, str], rated: bool = False, events: bool = False
) -> dict[str, str]:
    """Role → column; optional roles that are not there, or switched off, are left out.

    Args:
        path: of the file, for messages.
        names: of its columns.
        given: role → name, "" to switch an optional column off; the others are looked for under `NAMES`, the
            optional ones among the columns that no role was given.
        rated: whether a column of `LABELS` serves for a rating.
        events: whether a column of events is looked for.

    Raises:
        InputError: no column for user or item, one that is not there, or two that may be meant.
    """
    for role in given:
        if role not in NAMES:
            raise unknown("column role", role, NAMES)
    named = {role: _given(path, names, role, name) for role, name in given.items()}
    free = [column for column in names if column not in named.values()]
    found = {}
    for role in NAMES if events else [role for role in NAMES if role != "event" or role in given]:
        looked_at = names if role in REQUIRED else free
        column = named[role] if role in given else _guessed(path, looked_at, role, rated)
        if column is not None:
            found[role] = column
    for role, column in found.items():
        twice = [other for other in found if other != role and found[other] == column]
        if twice:
            raise InputError(f"{path}: column '{column}' is both {role} and {twice[0]}; {ADVICE} {role}=…")
        if column.endswith("_seq"):
            raise InputError(f"{path}: column '{column}' holds lists; write a row for each of their values")
    return found


def _given(path: Path, names: list[str], role: str, name: str) -> str | None:
    if not name and role in REQUIRED:
        raise InputError(f"{path}: the {role} needs a column; name it")
    if not name:
        return None
    same = [column for column in names if column == name]
    same = same or [column for column in names if plain(column) and plain(column) == plain(name)]
    if not same:
        given = f"--columns {role}={name}"
        raise InputError(
            f"{given}: {path}: there is no column '{name}' for the {role}; it has {_list(names)}"
        )
    return _only(path, role, same)


def _guessed(path: Path, names: list[str], role: str, rated: bool) -> str | None:
    by_plain: dict[str, list[str]] = {}
    for column in names:
        by_plain.setdefault(plain(column), []).append(column)
    known = (*NAMES[role], *LABELS) if role == "rating" and rated else NAMES[role]
    for name in known:
        if name in by_plain:
            return _only(path, role, by_plain[name])
    if role not in REQUIRED:
        return None
    message = f"{path}: no column for the {role}; it has {_list(names)}; {ADVICE} {role}=NAME"
    if any(re.fullmatch(r"-?[0-9]+(?:\.[0-9]+)?", column.strip()) for column in names):
        message += "; if these are values, put the names of the columns above them"
    raise InputError(message)


def _only(path: Path, role: str, same: list[str]) -> str:
    if len(same) == 1:
        return same[0]
    if len(set(same)) == 1:
        raise InputError(f"{path}: {len(same)} columns are called '{same[0]}'; rename all but the {role}")
    raise InputError(f"{path}: {' and '.join(same)} may all be the {role}; {ADVICE} {role}={same[0]}")


def _list(names: list[str]) -> str:
    return ", ".join(names)
