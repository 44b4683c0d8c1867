"""Mapping files read: what ``extends`` brings, and the line of each key for messages."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from loanbook.errors import InputError
from loanbook.settings.files import conf_file, load_yaml, yaml_lines
from loanbook.settings.section import validated
from loanbook.sources.mapping.file_spec import MappingFile

MappingModel = TypeVar("MappingModel", bound=MappingFile)


def load_mapping(model: type[MappingModel], source: str | None) -> MappingModel:
    """Return the mapping that ``--source`` names.

    Args:
        model: of a tape or of series.
        source: a file of ``conf/sources`` without its ending, or the path of a YAML file.

    Raises:
        InputError: none is named, there is no such file, or it is not valid.

    >>> from loanbook.sources.mapping.mapping import TapeMapping
    >>> load_mapping(TapeMapping, "freddie_mac").product
    'mortgage'
    """
    if source is None:
        raise InputError(
            required="--source with a file of conf/sources, which says how to read the files",
            found="none",
            do="name one, such as --source freddie_mac",
        )
    path = conf_file("sources", source, "source")
    content, lines = _with_extended(load_yaml(path)), _lines(path)
    kinds = ("a tape, for ingest-tapes and --source", "series, for ingest-macro and --macro-source")
    is_of_series, wanted = "lag_months" in content, "lag_months" in model.model_fields
    if is_of_series != wanted:
        raise InputError(
            required=f"a mapping of {kinds[wanted]}",
            found=f"{path.name}, a mapping of {kinds[is_of_series]}",
            do="name another mapping, or give this one where its kind is asked for",
        )
    mapping = validated(model, content, f"mapping {path.name}", lines)
    mapping._lines.update(lines)
    return mapping


def _with_extended(content: dict[str, Any]) -> dict[str, Any]:
    """Return the mapping that ``extends`` names, with the keys of ``content`` in place of its own."""
    base = content.pop("extends", None)
    if base is None:
        return content
    return _merged(_with_extended(load_yaml(conf_file("sources", base, "source"))), content)


def _lines(path: Path) -> dict[str, str]:
    """Return the line of every key of a mapping, with the file's name where ``extends`` brings the key."""
    own = {key: str(line) for key, line in yaml_lines(path).items()}
    content = load_yaml(path)
    base = content.get("extends")
    if base is None:
        return own
    extended = conf_file("sources", base, "source")
    of_base = {
        key: line if " of " in line else f"{line} of {extended.name}"
        for key, line in _lines(extended).items()
        if not _is_replaced(key.split("."), content)
    }
    return {**of_base, **own}


def _is_replaced(key: Sequence[str], own: Any) -> bool:
    """Return whether a key of an extended mapping is below one that ``own`` replaces whole.

    >>> own = {"files": [{"kind": "loans"}], "loans": {"of": "performance"}}
    >>> _is_replaced(["files", "0", "slice"], own), _is_replaced(["loans", "columns"], own)
    (True, False)
    """
    for part in key:
        if not isinstance(own, dict):
            return True
        if part not in own:
            return False
        own = own[part]
    return False


def _merged(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Return ``base`` with the keys of ``own``, section by section; a list or a text is replaced whole.

    >>> _merged({"a": {"x": 1, "y": 2}, "b": [1]}, {"a": {"y": 3}, "b": [2]})
    {'a': {'x': 1, 'y': 3}, 'b': [2]}
    """
    both = {key for key in own if isinstance(own[key], dict) and isinstance(base.get(key), dict)}
    return {**base, **own, **{key: _merged(base[key], own[key]) for key in both}}
