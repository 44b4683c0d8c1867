"""What the pages say of the code is what the code says."""

import doctest
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from docs.parts import commands, diagram, floors, mapping, markdown, settings, tables

from docs import generate
from loanbook.commands import COMMANDS, WITHOUT_JVM
from loanbook.features.catalogue.registry import FEATURES
from loanbook.maintenance.every_table import TABLES
from loanbook.settings.section import validated
from loanbook.settings.settings import load_settings
from loanbook.sources.mapping.expressions import FUNCTIONS, WINDOW_FUNCTIONS
from loanbook.sources.mapping.macro_mapping import MacroMapping
from loanbook.sources.mapping.mapped_columns import EXIT_COLUMNS, LOAN_COLUMNS, PERFORMANCE_COLUMNS
from loanbook.sources.mapping.mapping import TapeMapping
from loanbook.sql.view_definitions import VIEWS, view_sql
from loanbook.tables.columns import STATES
from tests.conftest import ROOT
from tests.settings.keys import keys_of

PAGES = sorted((ROOT / "docs").glob("*.md"))
TEXTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", ROOT / "CHANGELOG.md", *PAGES]
MAPPINGS = [
    pytest.param(yaml.safe_load(block), id=f"{path.name} {block.split()[1]}")
    for path in [ROOT / "README.md", *PAGES]
    for block in re.findall(r"```yaml\n(name: .*?)```", path.read_text("utf-8"), re.DOTALL)
]


def first_cells(markdown: str) -> list[str]:
    """Return the first cell of each line of the tables, without its signs of code."""
    cells = [line.split(" |")[0].removeprefix("| ") for line in markdown.splitlines() if "|" in line]
    return [cell.removeprefix("<code>").strip("`") for cell in cells]


def section(markdown: str, name: str) -> str:
    """Return the section of a page with this anchor."""
    return re.split(r"\n## ", markdown.partition(f"{{#{name}}}")[2])[0]


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_table_and_column_is_described(table: Any) -> None:
    text = section(tables.tables(), table.name)
    assert table.description in text
    assert set(table.column_names) <= set(first_cells(text))
    assert all(f"`{name}`" in text for name in (*table.constraints, *table.key))


def test_the_diagram_and_the_overview_have_every_table_with_its_key() -> None:
    drawn, overview = diagram.entity_diagram(), tables.tables_overview()
    for name, table in TABLES.items():
        assert f"#{name}" in drawn
        assert all(f">{column}</text>" in drawn for column in table.key)
        assert f"(#{name})" in overview


def test_every_row_refers_to_the_tables_that_its_key_columns_name() -> None:
    assert diagram.references(TABLES["performance"]) == ["deliveries", "loans"]
    assert diagram.references(TABLES["scores"]) == ["loans", "runs"]
    assert diagram.references(TABLES["runs"]) == []


def test_what_the_tables_page_says_in_words_is_of_every_table() -> None:
    page = (ROOT / "docs" / "tables.md").read_text("utf-8")
    assert set(TABLES) <= set(first_cells(page.partition("## What they hold")[2]))


def test_every_command_and_option_is_listed() -> None:
    text = commands.commands()
    for command in (*COMMANDS.values(), *WITHOUT_JVM.values()):
        own = section(text, command.name)
        assert command.help[1:] in own
        listed = {re.split(r"[ .]", cell)[0] for cell in first_cells(own)}
        for argument in command.arguments:
            positional = not argument.flag.startswith("--")
            name = argument.options.get("metavar", argument.flag) if positional else argument.flag
            assert name in listed, (command.name, argument.flag)
    assert {"--profile", "--set", "--log-format", "--result", "--traceback"} <= {
        cell.split()[0] for cell in first_cells(commands.common_options())
    }
    assert {cell.split()[0] for cell in first_cells(commands.job_options())} >= {"--source", "--as-of"}


def test_every_setting_is_listed_with_a_default_and_what_it_means() -> None:
    listed = {
        cells[1]: cells[2:]
        for line in settings.settings().splitlines()
        if len(cells := [cell.strip().strip("`") for cell in re.split(r"(?<!\\)\|", line)]) == 6
    }
    known = keys_of(load_settings("cluster")) - {"simulate.sizes"}  # a key whose parts are listed
    assert known <= set(listed)
    assert [key for key in known if not listed[key][0] or not listed[key][2]] == []


@pytest.mark.parametrize("part", ["mapping_keys", "macro_keys", "model_file"])
def test_every_key_of_a_file_has_a_meaning(part: str) -> None:
    lines = [line.split(" | ") for line in generate.PARTS[part]().splitlines() if line.startswith("| `")]
    assert lines
    assert [cells[0] for cells in lines if not cells[3].strip(" |")] == []


def test_features_functions_columns_and_states_are_listed() -> None:
    assert all(f"### `{item.name}`" in generate.features() for item in FEATURES)
    assert all(f"`{name}`" in mapping.functions() for name in FUNCTIONS | WINDOW_FUNCTIONS)
    columns = mapping.canonical_columns()
    assert all(f"`{name}`" in columns for name in (*PERFORMANCE_COLUMNS, *LOAN_COLUMNS, *EXIT_COLUMNS))
    assert tables.states() == ", ".join(f"`{state}`" for state in STATES) + "."
    assert set(VIEWS) <= set(first_cells(tables.views()))


def test_the_floors_are_those_that_import_linter_holds() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    rooms = [room for layer in contracts[0]["layers"] for room in layer.split(" | ")]
    told = [line.split("  ")[0] for line in floors.floors().splitlines() if re.match(r"\w", line)]
    assert told == rooms
    assert all(
        len(line.split("  ", 1)[1].strip()) > 10 for line in floors.floors().splitlines() if "  " in line
    )


@pytest.mark.parametrize("module", [markdown, settings], ids=["markdown", "settings"])
def test_examples(module: Any) -> None:
    found = doctest.testmod(module)
    assert found.attempted > 0
    assert found.failed == 0


@pytest.mark.parametrize("content", MAPPINGS)
def test_every_whole_mapping_is_valid(content: dict[str, Any]) -> None:
    validated(
        MacroMapping if "lag_months" in content else TapeMapping, content, "mapping of the documentation"
    )


def test_there_are_whole_mappings() -> None:
    assert len(MAPPINGS) >= 3


def anchors(path: Path) -> set[str]:
    """Return the anchors of a page's headings."""
    headings = re.findall(r"^#+ (.*)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", [path for path in TEXTS if path not in PAGES], ids=lambda path: path.name)
def test_every_relative_link_leads_to_a_heading_of_a_file(path: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]*)#?([^)\s]*)\)", path.read_text("utf-8"))
    inside = [(path.parent / file if file else path, anchor) for file, anchor in links if "://" not in file]
    broken = [
        (file.name, anchor)
        for file, anchor in inside
        if not file.exists() or (anchor and anchor not in anchors(file))
    ]
    assert broken == []


def test_every_setting_that_a_page_names_exists() -> None:
    known = keys_of(load_settings("cluster")) | {"paths.x"}
    sections = {key.partition(".")[0] for key in known if "." in key} - {"spark"}
    known |= {key.rpartition(".")[0] for key in known}
    known |= {f"{name}.{column}" for name, table in TABLES.items() for column in table.column_names}
    named = {
        (name, path.name)
        for path in TEXTS
        for name in re.findall(r"`([a-z_]+\.[a-z_.]+)`", path.read_text("utf-8"))
        if name.partition(".")[0] in sections
    }
    assert {(name, page) for name, page in named if name not in known} == set()


def test_every_view_that_a_page_names_exists() -> None:
    named = {name for path in TEXTS for name in re.findall(r"\bpd_by_[a-z_]+", path.read_text("utf-8"))}
    assert "pd_by_score_band" in named
    assert named <= set(VIEWS)


def test_every_command_that_a_page_shows_is_understood() -> None:
    from loanbook.cli import command_line

    shown = {
        line.partition("#")[0].partition("|")[0].strip()
        for path in TEXTS
        for block in re.findall(r"```sh\n(.*?)```", path.read_text("utf-8"), re.DOTALL)
        for line in block.splitlines()
        if line.startswith("loanbook ")
    }
    assert len(shown) > 10
    for line in shown:
        command_line().parse_args(line.removeprefix("loanbook ").split())


# What Spark calls a type, in DuckDB.
DUCKDB_TYPES = {"ARRAY<STRING>": "VARCHAR[]", "STRING": "VARCHAR", "BINARY": "BLOB"}


def duckdb_type(spark_type: str) -> str:
    """Return DuckDB's name of a column's type."""
    if spark_type in DUCKDB_TYPES:
        return DUCKDB_TYPES[spark_type]
    if inner := re.fullmatch(r"ARRAY<(.*)>", spark_type):
        return f"{duckdb_type(inner[1])}[]"
    if inner := re.fullmatch(r"MAP<(\w+),(\w+)>", spark_type):
        return f"MAP({duckdb_type(inner[1])}, {duckdb_type(inner[2])})"
    return spark_type


def test_every_query_that_a_page_shows_can_be_asked() -> None:
    connection = duckdb.connect()
    for name, table in TABLES.items():
        columns = ", ".join(f'"{column.name}" {duckdb_type(column.type)}' for column in table.columns)
        connection.execute(f'CREATE TABLE "{name}" ({columns})')
    for view in VIEWS:
        connection.execute(f"CREATE VIEW {view} AS {view_sql(view)}")
    texts = [path.read_text("utf-8") for path in TEXTS]
    queries = [
        query
        for text in texts
        for query in (
            *re.findall(r"```sql\n(.*?)```", text, re.DOTALL), *re.findall(r'loanbook sql "([^"]*)"', text),
        )
    ]  # fmt: skip
    assert len(queries) > 5
    for query in queries:
        connection.execute(query).fetchall()


def test_the_site_is_built_strictly_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    build = (sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir")
    done = subprocess.run(
        [*build, str(tmp_path / "site")],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT / "lib"), "NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    pages = {path.name: path.read_text("utf-8") for path in (tmp_path / "site").glob("*.html")}
    assert {f"{path.stem}.html" for path in PAGES} <= set(pages)
    for name, text in pages.items():
        assert "generate:" not in text, name
        assert re.findall(r"<[A-Z]+[,>]", text) == [], name  # a type such as ARRAY<INT> that is no code
        assert (
            re.findall(r"<(?:script|link|img|iframe)[^>]*(?:src|href)=\"?(?:https?:)?//[^>]*", text) == []
        ), name
