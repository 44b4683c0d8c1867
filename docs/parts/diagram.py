"""The tables as a diagram: boxes with their keys, and lines to what their rows refer to."""

from collections.abc import Callable, Mapping

from loanbook.maintenance.every_table import TABLES
from loanbook.tables.base import Table

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
