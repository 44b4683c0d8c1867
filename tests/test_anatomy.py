"""A job reads, calls functions that take frames, settings and dates, writes, and describes."""

import ast
from collections.abc import Iterator
from pathlib import Path

import loanbook

LIB = Path(loanbook.__file__).parent
# Modules and folders that are given a run, or a reader or writer, and why.
TAKE_A_RUN = {
    "warehouse/": "makes runs",
    "maintenance/": "a module is a job",
    "features/read.py": "what the jobs of features and labels read",
    "steps.py": "runs jobs",
    "pipeline.py": "runs the jobs",
    "run_job.py": "runs a job",
}
TAKE_A_WRITER = {
    "features/panel/write.py": "commits the files that workers wrote",
    "sources/publishing/publish.py": "commits six tables, in an order that matters",
}
RUNS = {"Run", "Reader", "Writer"}


def taken(source: str) -> Iterator[tuple[str, str]]:
    """Yield each function with a parameter that is a run, reader or writer, and which of them."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            of = node.args
            given = [*of.posonlyargs, *of.args, *of.kwonlyargs, of.vararg, of.kwarg]
            for annotation in (one.annotation for one in given if one is not None and one.annotation):
                yield from ((node.name, name) for name in sorted(_names(annotation) & RUNS))


def _names(annotation: ast.expr) -> set[str]:
    found = set()
    for node in ast.walk(annotation):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= _names(ast.parse(node.value, mode="eval").body)
        elif isinstance(node, ast.Name | ast.Attribute):
            found.add(node.id if isinstance(node, ast.Name) else node.attr)
    return found


def is_allowed(module: str, taken: str) -> bool:
    is_job = module.rpartition("/")[2] in ("job.py", "macro_job.py")
    is_listed = any(module == name or (name.endswith("/") and module.startswith(name)) for name in TAKE_A_RUN)
    return is_job or is_listed or (taken == "Writer" and module in TAKE_A_WRITER)


def test_a_run_stays_in_the_jobs():
    modules = {path.relative_to(LIB).as_posix(): path.read_text() for path in LIB.rglob("*.py")}
    found = {module: set(taken(text)) for module, text in modules.items()}
    wrong = [
        f"{module}: {function} takes a {what}"
        for module, functions in sorted(found.items())
        for function, what in sorted(functions)
        if not is_allowed(module, what)
    ]
    assert not wrong, "give these the frames, settings and dates that they need:\n" + "\n".join(wrong)
    unused = [name for name in TAKE_A_RUN | TAKE_A_WRITER if not _used(name, found)]
    assert not unused, f"no longer needed here: {', '.join(unused)}"


def _used(name: str, found: dict[str, set[tuple[str, str]]]) -> bool:
    return any(functions and module.startswith(name) for module, functions in found.items())


def test_every_way_to_take_a_run_is_seen():
    source = """
def plain(run: Run): ...
def text(*, run: "Run | None" = None): ...
def dotted(writer: writing.Writer, /): ...
def many(*runs: Run): ...
class Step:
    def __init__(self, run: Run | None): ...
def none(runs: DataFrame, run_id: str): ...
"""
    assert [name for name, _ in taken(source)] == ["plain", "text", "dotted", "many", "__init__"]
    assert is_allowed("features/job.py", "Run")
    assert is_allowed("sources/macro_job.py", "Run")
    assert not is_allowed("features/plan/tape.py", "Run")
    assert not is_allowed("features/panel/write.py", "Run")
