"""The floors of the package."""

import ast
import tomllib

from docs.parts.markdown import ROOT


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
