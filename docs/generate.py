"""What the pages say of tables, features, commands, settings and floors, made from the code that declares it.

MkDocs runs ``on_page_markdown`` as a hook: a line ``<!-- generate: NAME -->`` of a page becomes the Markdown
that ``PARTS[NAME]`` returns.
"""

import argparse
import ast
import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from html import escape
from itertools import takewhile
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from loanbook.cli import command_line
from loanbook.commands import COMMANDS, WITHOUT_JVM
from loanbook.features.catalogue.registry import FEATURES
from loanbook.features.listing import page as features_page
from loanbook.maintenance.every_table import TABLES
from loanbook.settings.files import load_yaml, yaml_lines
from loanbook.settings.model import ModelSettings
from loanbook.settings.section import Section, validated
from loanbook.settings.settings import Settings
from loanbook.sources.mapping.attributes import Attribute
from loanbook.sources.mapping.expressions import FUNCTIONS, SAFE_FORMS, WINDOW_FUNCTIONS
from loanbook.sources.mapping.file_spec import FieldType, FileSpec
from loanbook.sources.mapping.macro_mapping import MacroFileSpec, MacroMapping
from loanbook.sources.mapping.mapped_columns import EXIT_COLUMNS, LOAN_COLUMNS, PERFORMANCE_COLUMNS
from loanbook.sources.mapping.mapping import TapeMapping
from loanbook.sources.mapping.sections import Check, LoanMapping, PerformanceMapping, TapeOutcome
from loanbook.sql.views import VIEWS, view_question
from loanbook.tables.base import Table
from loanbook.tables.columns import STATES
from loanbook.tables.loans import LOANS
from loanbook.tables.performance import PERFORMANCE
from loanbook.tables.terminations import TERMINATIONS

ROOT = Path(__file__).parents[1]
MARK = re.compile(r"^<!-- generate: (\w+) -->$", re.MULTILINE)
ALWAYS = "required"


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Return a page with its marked places filled; MkDocs calls this for every page."""
    return MARK.sub(lambda found: PARTS[found[1]](), markdown)


def rows(header: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    r"""Return a table of Markdown.

    >>> print(rows(("a", "b"), [("1|2", "x")]))
    | a | b |
    |---|---|
    | 1\|2 | x |
    """
    cells = [header, ["---"] * len(header), *([cell.replace("|", "\\|") for cell in line] for line in lines)]
    made = ["| " + " | ".join(line) + " |" for line in cells]
    made[1] = "|" + "---|" * len(header)
    return "\n".join(made)


def code(text: str) -> str:
    """Return a text as code, a pipe in it so that it ends no cell of a table; nothing of an empty one.

    >>> code("a"), code("a|b"), code("")
    ('`a`', '<code>a&#124;b</code>', '')
    """
    if "|" in text:
        return f"<code>{escape(text).replace('|', '&#124;')}</code>"
    return f"`{text}`" if text else ""


def tables_overview() -> str:
    """Return one line for each table: what a row is, its key, and what it is written together with."""
    lines = [
        (
            f"[`{table.name}`](#{table.name})",
            table.description,
            ", ".join(map(code, table.key)),
            table.lease_name,
        )
        for table in TABLES.values()
    ]
    return rows(("table", "a row", "key", "lease"), lines)


def tables() -> str:
    """Return a section for each table: its columns, partitions and constraints."""
    return "\n".join(map(_table, TABLES.values()))


def _table(table: Table) -> str:
    lines = [
        (code(item.name), item.type, "yes" if item.required else "", item.comment) for item in table.columns
    ]
    parts = [
        f"## {table.name} {{#{table.name}}}\n",
        f"{table.description}.\n",
        f"- Key: {', '.join(map(code, table.key))}",
        f"- Partitioned by: {', '.join(map(code, table.partitions)) or 'nothing'}",
        f"- Written under the lease: {code(table.lease_name)}\n",
        rows(("column", "type", "never null", "meaning"), lines) + "\n",
    ]
    if table.constraints:
        parts.append("Constraints, which no published row breaks:\n")
        parts += [f"- `{name}`: `{condition}`" for name, condition in table.constraints.items()]
        parts.append("")
    return "\n".join(parts)


GRAINS: Mapping[str, Callable[[Table], bool]] = {
    "a delivery": lambda table: "delivery" in table.key,
    "a loan": lambda table: "loan_id" in table.key and "as_of_date" not in table.key,
    "a loan and month": lambda table: "loan_id" in table.key,
    "the economy, models, runs": lambda table: True,
}
WIDTH, GAP, LINE, TOP = 190, 70, 15, 40


def grain(table: Table) -> str:
    """Return what a row of a table stands for, by its key."""
    return next(name for name, is_of in GRAINS.items() if is_of(table))


def references(table: Table) -> list[str]:
    """Return the tables among ``deliveries``, ``loans`` and ``runs`` whose key a table's columns hold."""
    return [
        name
        for name in ("deliveries", "loans", "runs")
        if name != table.name and set(TABLES[name].key) <= set(table.column_names)
    ]


def entity_diagram() -> str:
    """Return the tables as boxes with their keys, in columns by grain, and lines to what they refer to."""
    places: dict[str, tuple[int, int]] = {}
    boxes: list[str] = []
    bottoms = []
    for position, name in enumerate(GRAINS):
        x, y = position * (WIDTH + GAP), TOP
        boxes.append(f'<text x="{x}" y="20" font-weight="bold">{name}</text>')
        for table in (table for table in TABLES.values() if grain(table) == name):
            height = LINE * (len(table.key) + 2)
            places[table.name] = (x, y)
            boxes.append(
                f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{height}" rx="4" '
                'stroke="currentColor" style="fill:var(--md-default-bg-color)"/>'
                f'<a href="#{table.name}"><text x="{x + 8}" y="{y + LINE + 2}" font-weight="bold" '
                f'text-decoration="underline">{table.name}</text></a>'
            )
            boxes += [
                f'<text x="{x + 8}" y="{y + LINE * (row + 2) + 4}">{column}</text>'
                for row, column in enumerate(table.key)
            ]
            y += height + 16
        bottoms.append(y)
    lines = [
        _line(places[table.name], places[other], dashed=other == "deliveries")
        for table in TABLES.values()
        for other in references(table)
    ]
    size = f"{len(GRAINS) * (WIDTH + GAP)} {max(bottoms)}"
    return (
        f'<div><svg viewBox="-30 0 {size}" role="img" aria-label="Tables with their keys and references" '
        'font-family="sans-serif" font-size="12" fill="currentColor">'
        + "".join(lines + boxes)
        + "</svg></div>"
    )


def _line(start: tuple[int, int], end: tuple[int, int], *, dashed: bool) -> str:
    """Return a curve from one box to another, from the sides that face each other."""
    (x1, y1), (x2, y2) = start, end
    y1, y2 = y1 + LINE, y2 + LINE
    if x1 == x2:  # of one column: along its left side
        bow = (x1 - 28, x2 - 28)
    elif x1 < x2:
        x1, bow = x1 + WIDTH, (x1 + WIDTH + GAP, x2 - GAP)
    else:
        x2, bow = x2 + WIDTH, (x1 - GAP, x2 + WIDTH + GAP)
    dash = ' stroke-dasharray="3 3"' if dashed else ""
    path = f"M{x1} {y1} C{bow[0]} {y1} {bow[1]} {y2} {x2} {y2}"
    return f'<path d="{path}" fill="none" stroke="currentColor" opacity="0.4"{dash}/>'


def features() -> str:
    """Return the catalogue, as ``loanbook list-features --format markdown`` prints it, without its title."""
    return features_page(list(FEATURES)).split("\n", 1)[1]


def _parsers() -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for action in command_line()._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.items()


def _shared(names: Iterable[str]) -> set[str]:
    """Return the options that each of these commands has."""
    parsers = dict(_parsers())
    return set.intersection(*({action.dest for action in parsers[name]._actions} for name in names))


def common_options() -> str:
    """Return the options that every command has."""
    return _shared_options(_shared([*COMMANDS, *WITHOUT_JVM]))


def job_options() -> str:
    """Return the options that every job has besides."""
    return _shared_options(_shared(COMMANDS) - _shared([*COMMANDS, *WITHOUT_JVM]))


def _shared_options(names: set[str]) -> str:
    first = dict(_parsers())[next(iter(COMMANDS))]
    return _options(action for action in first._actions if action.dest in names)


def commands() -> str:
    """Return a section for each command with the options of its own."""
    parts = []
    for name, parser in _parsers():
        shared = _shared(COMMANDS if name in COMMANDS else [*COMMANDS, *WITHOUT_JVM])
        own = [action for action in parser._actions if action.dest not in shared]
        about = str(parser.description)
        parts.append(f"## {name} {{#{name}}}\n\n{about[0].upper()}{about[1:]}.\n")
        parts.append(_options(own) + "\n" if own else "It has no options of its own.\n")
    return "\n".join(parts)


def _options(actions: Iterable[argparse.Action]) -> str:
    return rows(("option", "means", "default"), map(_option, actions))


def _option(action: argparse.Action) -> tuple[str, str, str]:
    name = " ".join(action.option_strings[-1:]) or action.dest
    value = "" if action.nargs == 0 else str(action.metavar or action.dest.upper())
    if action.choices is not None:
        value = "|".join(map(str, action.choices))
    given = f"{name} {value}".strip() if action.option_strings else str(action.metavar or action.dest)
    default = "" if action.default in (None, False, [], argparse.SUPPRESS) else str(action.default)
    need = f"; {ALWAYS}" if action.required and action.nargs != "?" else ""
    return code(given + ("..." if action.nargs == "+" else "")), f"{action.help}{need}", code(default)


SETTING = ("key", "default", "may be", "means")


def settings() -> str:
    """Return a section for each part of the settings, with the default that ``conf/base.yaml`` states."""
    path = ROOT / "conf" / "base.yaml"
    content, notes = load_yaml(path), comments(path)
    whole = validated(Settings, content, "base.yaml")
    top = {key: line for key, line in _settings_of(whole, content, notes).items() if "." not in key}
    parts = [rows(SETTING, top.values()) + "\n"]
    for name, section in whole:
        if isinstance(section, Section):
            lines = _settings_of(section, content[name], notes, f"{name}.").values()
            parts.append(f"## {name} {{#{name}}}\n\n{_first_line(type(section))}\n\n{rows(SETTING, lines)}\n")
    return "\n".join(parts)


def _first_line(model: type[BaseModel]) -> str:
    return str(model.__doc__).strip().splitlines()[0].replace("``", "`")


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


def _model_of(field: FieldInfo) -> type[BaseModel] | None:
    """Return the section that a setting holds, or that each of its items is."""
    for annotation in (field.annotation, *get_args(field.annotation)):
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            return annotation
    return None


def bounds(field: FieldInfo) -> str:
    """Return what a value may be, in words: choices, bounds, or its type.

    >>> bounds(Settings.model_fields["log_format"])
    'text, json'
    """
    options = (field.annotation, *get_args(field.annotation))
    choices = [
        str(value) for option in options if get_origin(option) is Literal for value in get_args(option)
    ]
    limits = [
        f"{sign} {getattr(limit, name):g}"
        for limit in field.metadata
        for kind, name, sign in ((Ge, "ge", "≥"), (Gt, "gt", ">"), (Le, "le", "≤"), (Lt, "lt", "<"))
        if isinstance(limit, kind)
    ]
    if choices or limits:
        return ", ".join(choices or limits)
    return "true, false" if field.annotation is bool else ""


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


def model_file() -> str:
    """Return the keys of a file of ``conf/models``."""
    return _keys(ModelSettings)


MAPPING_PARTS: Mapping[str, type[BaseModel]] = {
    "The file": TapeMapping,
    "An entry of `files`": FileSpec,
    "A field": FieldType,
    "`loans`": LoanMapping,
    "`performance`": PerformanceMapping,
    "A check": Check,
    "An attribute": Attribute,
    "`outcome`": TapeOutcome,
}


def mapping_keys() -> str:
    """Return every key of a mapping of a tape."""
    return "\n".join(f"### {title}\n\n{_keys(model)}\n" for title, model in MAPPING_PARTS.items())


def macro_keys() -> str:
    """Return the keys that a mapping of series has of its own."""
    own = {
        name: field for name, field in MacroFileSpec.model_fields.items() if name not in FileSpec.model_fields
    }
    lines = [*_key_rows(MacroMapping.model_fields), *(_key_row(f"files: {name}", own[name]) for name in own)]
    return rows(KEY, lines)


KEY = ("key", "default", "may be", "means")


def _keys(model: type[BaseModel]) -> str:
    return rows(KEY, _key_rows(model.model_fields))


def _key_rows(fields: Mapping[str, FieldInfo]) -> list[tuple[str, ...]]:
    return [_key_row(name, field) for name, field in fields.items()]


def _key_row(name: str, field: FieldInfo) -> tuple[str, ...]:
    inner = _model_of(field)
    default = ALWAYS if field.is_required() else _default(field.get_default(call_default_factory=True))
    return (
        code(name),
        default,
        bounds(field),
        field.description or ("" if inner is None else _first_line(inner)),
    )


def _default(value: Any) -> str:
    if value is None or value in ((), {}, ""):
        return ""
    plain = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    return code(plain if isinstance(plain, str) else json.dumps(plain))


def functions() -> str:
    """Return the functions that an expression of a mapping may call."""
    listed = [("of one row", FUNCTIONS), ("with a window, `OVER (...)`", WINDOW_FUNCTIONS)]
    allowed = [f"- {kind}: {', '.join(map(code, sorted(names)))}" for kind, names in listed]
    refused = [f"- `{name}`: write `{form}`" for name, form in SAFE_FORMS.items()]
    return (
        "\n".join(allowed)
        + "\n\nRefused, with what to write instead, because they fail the whole job on one bad value:\n\n"
        + "\n".join(refused)
    )


def canonical_columns() -> str:
    """Return the columns that a mapping may fill, by section, with their type and meaning."""
    sections = (
        ("performance: columns", PERFORMANCE, PERFORMANCE_COLUMNS, ("loan_id", "as_of_date", "state")),
        ("performance: exits", TERMINATIONS, EXIT_COLUMNS, ()),
        ("loans: columns", LOANS, LOAN_COLUMNS, ("loan_id",)),
    )
    parts = []
    for title, table, names, needed in sections:
        lines = [
            (code(item.name) + (f", {ALWAYS}" if item.name in needed else ""), item.type, item.comment)
            for item in table.columns
            if item.name in names
        ]
        parts.append(f"### `{title}`\n\n{rows(('column', 'type', 'meaning'), lines)}\n")
    return "\n".join(parts)


def states() -> str:
    """Return the states in their order."""
    return ", ".join(map(code, STATES)) + "."


def views() -> str:
    """Return each view with the question that it answers."""
    return rows(("view", "answers"), ((code(name), view_question(name)) for name in VIEWS))


def floors() -> str:
    """Return the floors that import-linter holds, from the roof down, each with its docstring."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    longest = max(len(room) for layer in layers for room in layer.split(" | "))
    lines = []
    for layer in layers:
        lines += ["-" * 100, *(f"{room:<{longest}}  {_says(room)}" for room in layer.split(" | "))]
    return "```text\n" + "\n".join([*lines, "-" * 100]) + "\n```"


def _says(room: str) -> str:
    """Return the first line of a module's docstring, without importing it."""
    package = ROOT / "lib" / "loanbook" / room
    path = package / "__init__.py" if package.is_dir() else package.with_suffix(".py")
    text = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return text.split("\n\n")[0].replace("\n", " ").replace("``", "")


PARTS: Mapping[str, Callable[[], str]] = {
    part.__name__: part
    for part in (
        tables_overview, entity_diagram, tables, features, common_options, job_options, commands, settings,
        model_file, mapping_keys, macro_keys, functions, canonical_columns, states, views, floors,
    )
}  # fmt: skip
