"""What the tables and the SQL views hold."""

from docs.parts.markdown import code, rows
from loanbook.maintenance.every_table import TABLES
from loanbook.sql.view_definitions import VIEWS, view_question
from loanbook.tables.base import Table
from loanbook.tables.columns import STATES


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
        (code(item.name), code(item.type), "yes" if item.required else "", item.comment)
        for item in table.columns
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


def states() -> str:
    """Return the states in their order."""
    return ", ".join(map(code, STATES)) + "."


def views() -> str:
    """Return each view with the question that it answers."""
    return rows(("view", "answers"), ((code(name), view_question(name)) for name in VIEWS))
