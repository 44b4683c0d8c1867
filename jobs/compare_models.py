"""spark-submit target of `loanbook compare-models`."""

import sys

try:
    from loanbook.cli import main
except ModuleNotFoundError:
    from without_environment import main

if __name__ == "__main__":
    sys.exit(main(["compare-models", *sys.argv[1:]]))
