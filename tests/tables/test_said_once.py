"""What a room knows of columns is said on them: lists of a table's columns are derived, not written again."""

import ast
from collections.abc import Iterator
from pathlib import Path

import loanbook
from loanbook.maintenance.every_table import TABLES

LIB = Path(loanbook.__file__).parent
MANY = 4  # so many names of one table's columns are a list of its columns
DECLARE = ("tables/", "sql/")  # folders that say what the columns are, or are SQL
# Lists that look like columns of a table, and why they may stand.
MAY_STAND = {
    "quality/fates.py": "the fates of a line; deliveries has a column for each",
    "sources/macro_job.py": "counts of the job's result",
}


def lists(source: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the line and the texts of each tuple, list, set and call that holds many."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Tuple | ast.List | ast.Set | ast.Call):
            parts = node.args if isinstance(node, ast.Call) else node.elts
            texts = [part.value for part in parts if isinstance(part, ast.Constant)]
            names = [text for text in texts if isinstance(text, str)]
            if len(names) >= MANY:
                yield node.lineno, names


def copies(source: str) -> list[str]:
    """Return each list of texts that are all columns of one table."""
    return [
        f"line {line}: {', '.join(names)} of {table.name}"
        for line, names in lists(source)
        for table in [table for table in TABLES.values() if {*names} <= {*table.column_names}][:1]
    ]


def test_no_list_of_columns_is_written_by_hand():
    modules = {path.relative_to(LIB).as_posix(): path for path in LIB.rglob("*.py")}
    found = {
        name: copies(path.read_text("utf-8"))
        for name, path in modules.items()
        if not name.startswith(DECLARE)
    }
    wrong = [f"{name}, {copy}" for name, of in found.items() if name not in MAY_STAND for copy in of]
    assert not wrong, "derive these from filled_by and read_by of tables.Column:\n" + "\n".join(wrong)
    assert [name for name in MAY_STAND if not found.get(name)] == [], "no longer needed in MAY_STAND"


def test_a_copy_is_seen_however_it_is_written():
    assert len(copies('READ = ("loan_id", "state", "upb", "rate")')) == 1
    assert len(copies('rows.select("loan_id", "state", "upb", "rate")')) == 1
    assert len(copies('READ = [*KEY, "state", "upb", "rate", "modified"]')) == 1
    assert copies('READ = ("loan_id", "state", "upb", "something")') == []
    assert copies('READ = ("loan_id", "state", "upb")') == []


def test_a_mapping_fills_what_no_other_part_does():
    performance, loans = TABLES["performance"], TABLES["loans"]
    assert performance.filled_by("definition")[0] == "default_status"
    assert set(performance.filled_by("delivery")) == set(loans.filled_by("delivery"))
    assert not set(performance.read_by("features")) & {"tape_outcome", "loss_event", *performance.key}
    assert not TABLES["terminations"].read_by("features")
