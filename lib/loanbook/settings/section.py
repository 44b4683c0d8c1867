"""The base of every typed settings model, and the words in which a bad one is refused."""

import difflib
from collections.abc import Mapping
from functools import reduce
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError

from loanbook.errors import InputError


class Section(BaseModel):
    """A part of the settings: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Model = TypeVar("Model", bound=BaseModel)
Key = tuple[str, ...]


def wrong_keys(problems: Mapping[Key, str]) -> PydanticCustomError:
    """Return the error of a model's validator that names keys of the model, each with its own message."""
    return PydanticCustomError("wrong_keys", "; ".join(problems.values()), {"problems": dict(problems)})


def validated(model: type[Model], content: Any, what: str, lines: Mapping[str, str] | None = None) -> Model:
    """Return ``content`` as ``model``.

    Args:
        model: the model.
        content: plain containers.
        what: what they are, in words.
        lines: of a file, the line of each key with its path, such as ``files.0.kind``.

    Raises:
        InputError: names every bad key with its place and, for an unknown one, the nearest known key.

    >>> class Book(Section):
    ...     stale_months: int
    >>> validated(Book, {"stale_months": 3}, "settings").stale_months
    3
    >>> try:
    ...     validated(Book, {"stale_month": 3}, "settings")
    ... except InputError as error:
    ...     print(error.found)
    missing key 'stale_months'; unknown key 'stale_month' (did you mean 'stale_months'?)
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        items = error.errors(include_url=False)
        # Pydantic drops wrong items, and then also calls the list too short: that is left out.
        above = {item["loc"][:length] for item in items for length in range(len(item["loc"]))}
        told = [item for item in items if item["type"] != "too_short" or item["loc"] not in above]
        each = [one for item in told for one in _by_key(item)]
        problems = "; ".join(_problem(model, item) + _line(item["loc"], lines or {}) for item in each)
        raise InputError(
            required=f"valid {what}", found=problems, do="correct the key or value and run again"
        ) from error


def _by_key(item: Any) -> list[dict[str, Any]]:
    """Return an error as one of each key that it names."""
    if item["type"] != "wrong_keys":
        return [item]
    problems: Mapping[Key, str] = item["ctx"]["problems"]
    return [
        {**item, "loc": (*item["loc"], *key), "input": reduce(_inner, key, item["input"]), "msg": message}
        for key, message in problems.items()
    ]


def _inner(content: Any, key: str) -> Any:
    return content.get(key) if isinstance(content, Mapping) else None


def _problem(model: type[BaseModel], item: Any) -> str:
    place = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        near = nearest(str(item["loc"][-1]), _known_keys(model, item["loc"][:-1]))
        return f"unknown key {place!r}{near}"
    if item["type"] == "missing":
        return f"missing key {place!r}"
    if isinstance(item["input"], Mapping):
        return f"{place or 'the whole'}: {item['msg']}"
    return f"{place} = {item['input']!r}: {item['msg']}"


def _line(place: tuple[Any, ...], lines: Mapping[str, str]) -> str:
    """Return `` (line n)`` of the key, or of the nearest key above it that is in the file."""
    for length in range(len(place), 0, -1):
        if line := lines.get(".".join(str(part) for part in place[:length])):
            return f" (line {line})"
    return ""


def _known_keys(model: type[BaseModel], path: tuple[Any, ...]) -> list[str]:
    annotation: Any = model
    for part in path:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            field = annotation.model_fields.get(str(part))
            annotation = None if field is None else field.annotation
        else:
            annotation = _model_in(annotation)  # the part is a place in a list, or a key of the user's own
    keys = _model_in(annotation)
    return [] if keys is None else list(keys.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the model that an annotation such as ``tuple[FileSpec, ...]`` speaks of, if one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(argument) for argument in get_args(annotation))
    return next((model for model in found if model is not None), None)


def nearest(name: str, known: list[str], *, or_all: bool = True) -> str:
    """Return `` (did you mean 'x'?)`` for the known name closest to ``name``.

    Args:
        name: as it was given.
        known: the names that there are.
        or_all: whether to list them all where none is close; otherwise nothing is returned then.

    >>> nearest("stale_month", ["stale_months", "seed"]), nearest("color", ["stale_months", "seed"])
    (" (did you mean 'stale_months'?)", ' (known: seed, stale_months)')
    """
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f" (did you mean {close[0]!r}?)"
    return f" (known: {', '.join(sorted(known))})" if known and or_all else ""
