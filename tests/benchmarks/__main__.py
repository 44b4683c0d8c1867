"""``python -m tests.benchmarks NAME``: run one benchmark and write ``build/bench/NAME.json``."""

import pkgutil
import sys
from importlib import import_module
from pathlib import Path

from tests.benchmarks.frame import write

NOT_BENCHMARKS = {
    "__main__",
    "features_book",
    "features_peer",
    "frame",
    "ingest_peers",
    "processes",
    "training_book",
}


def main(arguments: list[str]) -> int:
    """Run the named benchmark; without a name, list them."""
    modules = {module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)])}
    names = sorted(name for name in modules - NOT_BENCHMARKS if not name.startswith("test_"))
    if len(arguments) != 1 or arguments[0] not in names:
        sys.stderr.write(f"required: one benchmark, make bench BENCH=name; there are: {', '.join(names)}\n")
        return 2
    path = write(import_module(f"tests.benchmarks.{arguments[0]}").run())
    sys.stdout.write(path.read_text("utf-8"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
