"""Which columns are taken, by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval_leaderboard.datasets.tables import columns
from retrieval_leaderboard.datasets.tables.columns import NAMES
from retrieval_leaderboard.support.errors import InputError

PATH = Path("log.csv")


def find(header: str, **given: str) -> dict[str, str]:
    return columns.find(PATH, header.split(","), given)


@pytest.mark.parametrize(
    ("header", "user", "item", "timestamp", "rating"),
    [
        ("timestamp,visitorid,event,itemid,transactionid", "visitorid", "itemid", "timestamp", None),
        ("t_dat,customer_id,article_id,price", "customer_id", "article_id", "t_dat", None),
        ("InvoiceNo,StockCode,InvoiceDate,CustomerID", "CustomerID", "StockCode", "InvoiceDate", None),
        ("Invoice,StockCode,InvoiceDate,Customer ID", "Customer ID", "StockCode", "InvoiceDate", None),
        ("user_id,parent_asin,rating,timestamp", "user_id", "parent_asin", "timestamp", "rating"),
        ("reviewerID,asin,overall,unixReviewTime", "reviewerID", "asin", "unixReviewTime", "overall"),
        ("userId,movieId,rating,timestamp", "userId", "movieId", "timestamp", "rating"),
        ("review_id,user_id,business_id,stars,date", "user_id", "business_id", "date", "stars"),
        ("session,aid,ts,type", "session", "aid", "ts", None),
        ("session_id,user_id,sku,weight,event_time", "user_id", "sku", "event_time", None),
        ("user_id,item_id,cat_id,time_stamp,action_type", "user_id", "item_id", "time_stamp", None),
        ("user_id,video_id,date,hourmin,time_ms,is_click", "user_id", "video_id", "time_ms", None),
        ("User-ID,ISBN,Book-Rating", "User-ID", "ISBN", None, "Book-Rating"),
        (
            "user_id:token,item_id:token,timestamp:float",
            "user_id:token",
            "item_id:token",
            "timestamp:float",
            None,
        ),
        ("userid,created_at,track_id,track", "userid", "track_id", "created_at", None),
        ("user,book,song_id,datetime", "user", "song_id", "datetime", None),
    ],
)
def test_headers_of_published_files(
    header: str, user: str, item: str, timestamp: str | None, rating: str | None
):
    roles = {"user": user, "item": item, "timestamp": timestamp, "rating": rating}
    assert find(header) == {role: column for role, column in roles.items() if column}


@pytest.mark.parametrize("role", NAMES)
def test_every_known_name_is_found(role: str):
    for name in NAMES[role]:
        assert columns.plain(name) == name, "names stand in the table as `plain` writes them"
        header = {"user": "user_id", "item": "item_id"} | {role: name}
        assert columns.find(PATH, list(header.values()), {}, events=True)[role] == name


def test_an_id_comes_before_a_title():
    assert find("item,movie,item_id,user,user_id") == {"user": "user_id", "item": "item_id"}
    assert find("movie,movieId,username,userId") == {"user": "userId", "item": "movieId"}


def test_names_given_come_first_and_optional_columns_can_be_switched_off():
    header = "user,who,item,time,rating"
    assert find(header, user="Who")["user"] == "who"
    assert set(find(header, timestamp="", rating="")) == {"user", "item"}
    taken = find(header, user="who", weight="Rating")
    assert taken == {"user": "who", "item": "item", "timestamp": "time", "weight": "rating"}, (
        "no rating beside it"
    )


@pytest.mark.parametrize(
    ("header", "given", "message"),
    [
        ("user,item,user", {}, "2 columns are called 'user'"),
        ("User,item,user", {}, "User and user may all be the user"),
        ("user_id:token,item,user_id:float", {}, "user_id:token and user_id:float may all be the user"),
        ("a,b,b", {"user": "a", "item": "b"}, "2 columns are called 'b'"),
        ("user,item", {"user": "item"}, "column 'item' is both"),
        ("user,item_id:token_seq", {}, "'item_id:token_seq' holds lists"),
        ("user,thing", {}, "no column for the item; it has user, thing; name it: --columns item=NAME"),
        ("1,a,5", {}, "if these are values, put the names of the columns above them"),
        ("user,item", {"timestamp": "when"}, "no column 'when' for the timestamp; it has user, item"),
        ("user,item", {"users": "user"}, "unknown column role 'users': did you mean 'user'"),
    ],
)
def test_what_is_ambiguous_or_absent_is_refused(header: str, given: dict[str, str], message: str):
    with pytest.raises(InputError, match=message):
        columns.find(PATH, header.split(","), given)


def test_unused_columns_may_share_a_name():
    assert find("user,item,x,x") == {"user": "user", "item": "item"}


def test_options():
    assert columns.parse("user=uid,item=a b") == {"user": "uid", "item": "a b"}
    assert columns.parse("timestamp=, rating=") == {"timestamp": "", "rating": ""}
    assert columns.parse("user=('user', 'x'),item=('item', 'y')") == {
        "user": "('user', 'x')",
        "item": "('item', 'y')",
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("time=t", "did you mean 'timestamp'"),
        ("user", "give it as user=NAME,item=NAME"),
        ("user=", "the user needs a column"),
        ("user=a,user=b", "user is given twice"),
    ],
)
def test_options_that_say_nothing(text: str, message: str):
    with pytest.raises(InputError, match=message):
        columns.parse(text)
