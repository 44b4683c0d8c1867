"""spark-submit target of `loanbook run-pipeline`."""

import sys

try:
    from loanbook.cli import main
except ModuleNotFoundError:
    from without_environment import main

if __name__ == "__main__":
    sys.exit(main(["run-pipeline", *sys.argv[1:]]))
