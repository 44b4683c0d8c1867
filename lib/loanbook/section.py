"""The base of every typed settings model, and the words in which a bad one is refused."""

import difflib
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from loanbook.errors import InputError


class Section(BaseModel):
    """A part of the settings: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Model = TypeVar("Model", bound=BaseModel)


def validated(model: type[Model], content: Any, what: str) -> Model:
    """Return ``content`` as ``model``.

    Raises:
        InputError: names every bad key with its place and, for an unknown one, the nearest known key.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        problems = "; ".join(_problem(model, item) for item in error.errors(include_url=False))
        raise InputError(
            required=f"valid {what}", found=problems, do="correct the key or value and run again"
        ) from error


def _problem(model: type[BaseModel], item: Any) -> str:
    place = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        near = nearest(str(item["loc"][-1]), _known_keys(model, item["loc"][:-1]))
        return f"unknown key {place!r}{near}"
    if item["type"] == "missing":
        return f"missing key {place!r}"
    return f"{place or 'the whole'} = {item['input']!r}: {item['msg']}"


def _known_keys(model: type[BaseModel], path: tuple[Any, ...]) -> list[str]:
    keys: type[Any] = model
    for part in path:
        field = keys.model_fields.get(str(part)) if issubclass(keys, BaseModel) else None
        if field is None or not isinstance(field.annotation, type):
            return []
        keys = field.annotation
    return list(keys.model_fields) if issubclass(keys, BaseModel) else []


def nearest(name: str, known: list[str]) -> str:
    """Return `` (did you mean 'x'?)`` for the known name closest to ``name``, or a list of the known ones."""
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f" (did you mean {close[0]!r}?)"
    return f" (known: {', '.join(sorted(known))})" if known else ""
