"""What the HTTP service takes and gives; the sizes of all input are limited here."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

from retrieval_leaderboard.serving.requests import MAX_EXCLUDED, MAX_HISTORY, MAX_K, moment
from retrieval_leaderboard.support.errors import InputError

MAX_BATCH = 256
MAX_BODY_BYTES = 4 * 2**20
MAX_TEXT = 256
MAX_COLUMNS = 64
MAX_VALUES = 1024


def _condition(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    """One sentence, where pydantic has one for each kind that a condition may have."""
    try:
        return validate(value)
    except ValidationError as error:
        raise PydanticCustomError(
            "condition",
            f"must be a list of at most {MAX_VALUES:,} values, or a range of numbers, such as "
            '{"min": 5, "max": 10}',
        ) from error


def _checked(timestamp: int | float | str) -> int | float | str:
    try:
        moment(timestamp)
    except InputError as error:
        raise PydanticCustomError("moment", "{sentence}", {"sentence": str(error)}) from error
    return timestamp


Id = Annotated[StrictStr, Field(min_length=1, max_length=MAX_TEXT)]
Text = Annotated[StrictStr, Field(max_length=MAX_TEXT)]
Value = StrictInt | StrictFloat | Text | None
# Lists fail fast: a body of 4 MiB can hold millions of errors, and to tell them takes half a minute.
ManyValues = Annotated[list[StrictInt | StrictFloat | Text], Field(max_length=MAX_VALUES, fail_fast=True)]
Moment = Annotated[StrictInt | StrictFloat | Text, AfterValidator(_checked)]
Features = Annotated[dict[Text, Value | ManyValues], Field(max_length=MAX_COLUMNS)]
Range = dict[Literal["min", "max"], StrictInt | StrictFloat]
Condition = Annotated[ManyValues | Range, WrapValidator(_condition)]
Filter = Annotated[dict[Text, Condition], Field(max_length=MAX_COLUMNS)]


class Input(BaseModel):
    """Input with a field that is not known is refused: it is misspelt."""

    model_config = ConfigDict(extra="forbid")


class Recommend(Input):
    """As `serving.requests.Request`."""

    user_id: Id | None = None
    history: Annotated[list[Id], Field(max_length=MAX_HISTORY, fail_fast=True)] | None = None
    features: Features | None = None
    k: Annotated[StrictInt, Field(ge=1, le=MAX_K)] = 20
    timestamp: Moment | None = None
    context: Features | None = None
    exclude_seen: StrictBool | None = None
    exclude: Annotated[
        list[Id],
        # A factory is faster than a default that is copied, and the schema does not tell what it makes.
        Field(
            max_length=MAX_EXCLUDED,
            fail_fast=True,
            default_factory=list,
            json_schema_extra={"default": []},
        ),
    ]
    filter: Filter | None = None


class RecommendBatch(Input):
    """Several requests, answered in their order."""

    requests: Annotated[list[Recommend], Field(max_length=MAX_BATCH, fail_fast=True)]


class NewItem(Input):
    """An item known by its features alone."""

    item_id: Annotated[Id, AfterValidator(str.strip)]
    """as it is kept: without the blanks around it"""
    features: Features


class Recommendation(BaseModel):
    """As `serving.requests.Answer`, and what gave it."""

    model: str
    version: str
    """of the bundle that answered: the day it was built, and a hash of all that is in it"""
    items: list[str]
    scores: list[float]
    known_user: bool
    fallback: bool
    unknown_items: list[str]
    unknown_values: dict[str, list[str]]


class Recommendations(BaseModel):
    """An answer to each request of a batch."""

    answers: list[Recommendation]


class Added(BaseModel):
    """An item that can be recommended from now on, and what took it."""

    model: str
    version: str
    """of the bundle that keeps it, as in `Recommendation`"""
    item_id: str
    unknown_values: dict[str, list[str]]


class Refusal(BaseModel):
    """Why a request was not answered."""

    detail: str
    """one sentence"""


REFUSALS = {
    400: "The Host header names none of the service's hosts, or the body cannot be read as text.",
    401: "The service needs a bearer token, and the request gives none or another one.",
    403: "The service only reads its bundle.",
    408: "The body did not come in time.",
    409: "The bundle was changed or removed by another process.",
    413: "The body is too large.",
    422: "The request cannot be answered: it says what is wrong.",
    500: "A bug; its traceback is in the service's log.",
    503: "Too many requests are open: retry after the seconds of the Retry-After header.",
    507: "The item could not be saved: there is no room, or no right, to write.",
}
"""status → when it is answered"""


class Health(BaseModel):
    """The process works, and what it answers from."""

    status: str
    model: str
    version: str
    dataset: str
    index: str
    items: int


class Ready(BaseModel):
    """A request was just answered."""

    status: str
    model: str
    version: str
    refused_version: str | None
    """why the current version of the bundle does not answer, but the one before it; null where it does"""
