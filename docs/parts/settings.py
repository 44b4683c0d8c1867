"""Settings, and the keys of a YAML file that a model declares, with default, bounds and meaning."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from itertools import takewhile
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

import loanbook.models.backbones
import loanbook.models.baselines
import loanbook.models.embeddings
import loanbook.models.heads
from docs.parts.markdown import HEADER, REQUIRED, ROOT, code, first_line, rows
from loanbook.models.by_name import known_modules
from loanbook.settings.files import load_yaml, yaml_lines
from loanbook.settings.model import Emphasis, ModelSettings, Schedule
from loanbook.settings.section import Section
from loanbook.settings.settings import base_settings


def settings() -> str:
    """Return a section for each part of the settings, with the default that ``conf/base.yaml`` states."""
    path = ROOT / "conf" / "base.yaml"
    content, notes = load_yaml(path), comments(path)
    whole = base_settings()
    top = {key: line for key, line in _settings_of(whole, content, notes).items() if "." not in key}
    parts = [rows(HEADER, top.values()) + "\n"]
    for name, section in whole:
        if isinstance(section, Section):
            lines = _settings_of(section, content[name], notes, f"{name}.").values()
            parts.append(f"## {name} {{#{name}}}\n\n{first_line(type(section))}\n\n{rows(HEADER, lines)}\n")
    return "\n".join(parts)


def model_file() -> str:
    """Return the keys of a file of ``conf/models``, of its parts, of each backbone, embedding and head."""
    parts = [key_table(ModelSettings)]
    for name, section in (("schedule", Schedule), ("emphasis", Emphasis)):
        parts.append(f"### `{name}`\n\n{first_line(section)}\n\n{key_table(section)}")
    for name, module in _modules(loanbook.models.backbones):
        about = f"{_about(module)} Its settings stand beside `name: {name}`."
        parts.append(f"### Backbone `{name}`\n\n{about}\n\n{key_table(module.Settings)}")
    for name, module in _modules(loanbook.models.embeddings):
        about = f"{_about(module)} Its settings stand beside `name: {name}`, under `embedding` of a backbone."
        parts.append(f"### Embedding `{name}`\n\n{about}\n\n{key_table(module.Settings)}")
    for name, module in _modules(loanbook.models.heads):
        if hasattr(module, "Settings"):
            about = f"{_about(module)} Its settings stand beside `name: {name}`, under `head`."
            parts.append(f"### Head `{name}`\n\n{about}\n\n{key_table(module.Settings)}")
    return "\n\n".join(parts)


def baselines() -> str:
    """Return a section for each baseline with its keys."""
    return "\n\n".join(
        f"### Baseline `{name}`\n\n{_about(module)}\n\n{key_table(module.Settings)}"
        for name, module in _modules(loanbook.models.baselines)
    )


def _modules(package: ModuleType) -> Iterator[tuple[str, ModuleType]]:
    for name in known_modules(package.__path__):
        yield name, import_module(f"{package.__name__}.{name}")


def _about(module: ModuleType) -> str:
    """Return the first line of a module's docstring, as Markdown."""
    return str(module.__doc__).strip().splitlines()[0].replace("``", "`")


def key_table(model: type[BaseModel]) -> str:
    """Return a table of the keys that a model has."""
    return rows(HEADER, key_rows(model.model_fields)) if model.model_fields else "It has no settings."


def key_rows(fields: Mapping[str, FieldInfo]) -> list[tuple[str, ...]]:
    """Return the line of each key."""
    return [key_row(name, field) for name, field in fields.items()]


def key_row(name: str, field: FieldInfo) -> tuple[str, ...]:
    """Return the line of a key: name, default or that it is required, bounds, meaning."""
    inner = _model_of(field)
    default = REQUIRED if field.is_required() else _default(field.get_default(call_default_factory=True))
    return (
        code(name),
        default,
        bounds(field),
        field.description or ("" if inner is None else first_line(inner)),
    )


def _default(value: Any) -> str:
    if value is None or value in ((), {}, ""):
        return ""
    plain = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    return code(plain if isinstance(plain, str) else json.dumps(plain))


def _model_of(field: FieldInfo) -> type[BaseModel] | None:
    """Return the section that a setting holds, or that each of its items is."""
    for annotation in (field.annotation, *get_args(field.annotation)):
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            return annotation
    return None


def bounds(field: FieldInfo) -> str:
    """Return what a value may be, in words: choices, bounds, or its type.

    >>> bounds(ModelSettings.model_fields["optimizer"])
    'adam, sgd'
    >>> bounds(FieldInfo(annotation=int | Literal["all"]))
    'all, or a number'
    >>> bounds(FieldInfo(annotation=dict[Literal["gap"], Literal["flag", "halt"]]))
    'gap: flag, halt'
    """
    options = (field.annotation, *get_args(field.annotation))
    choices = [
        ", ".join(map(_choice, get_args(option))) for option in options if get_origin(option) is Literal
    ]
    limits = [
        f"{sign} {getattr(limit, name):g}"
        for limit in field.metadata
        for kind, name, sign in ((Ge, "ge", "≥"), (Gt, "gt", ">"), (Le, "le", "≤"), (Lt, "lt", "<"))
        if isinstance(limit, kind)
    ]
    if choices:  # those of the keys and of the values, of a mapping
        return ": ".join(choices) + (", or a number" if int in options else "")
    return ", ".join(limits) or ("true, false" if field.annotation is bool else "")


def _choice(value: object) -> str:
    """Return a choice as it is, a sign that is no word as code in quotes."""
    return str(value) if str(value).isidentifier() else code(repr(value))


def _settings_of(
    section: Section, content: Mapping[str, Any], notes: Mapping[str, str], above: str = ""
) -> dict[str, tuple[str, ...]]:
    """Return the line of each setting of a section and of those within it, by its key."""
    found: dict[str, tuple[str, ...]] = {}
    for name, field in type(section).model_fields.items():
        value, key = getattr(section, name), above + name
        if isinstance(value, Section):
            found |= _settings_of(value, content[name], notes, f"{key}.")
        elif isinstance(value, dict) and any(isinstance(item, Section) for item in value.values()):
            for part, item in value.items():
                found |= _settings_of(item, content[name][part], notes, f"{key}.{part}.")
        else:
            found[key] = _setting(field, content[name], notes, key)
    return found


def _setting(field: FieldInfo, value: Any, notes: Mapping[str, str], key: str) -> tuple[str, ...]:
    means = field.description or notes.get(key, "")
    return code(key), code(value if isinstance(value, str) else json.dumps(value)), bounds(field), means


def comments(path: Path) -> dict[str, str]:
    """Return the comment of each key of a YAML file: beside it, and in the comment lines that go on below."""
    lines = path.read_text("utf-8").splitlines()
    return {
        key: " ".join([_comment(lines[number - 1]), *_below(lines[number:])]).strip()
        for key, number in yaml_lines(path).items()
    }


def _below(lines: Sequence[str]) -> list[str]:
    deep = re.compile(r" {20,}# ")
    return [_comment(line) for line in takewhile(deep.match, lines)]


def _comment(line: str) -> str:
    return line.partition("# ")[2].strip()
