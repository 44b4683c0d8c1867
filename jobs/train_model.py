"""spark-submit target of `loanbook train-model`."""

import sys

try:
    from loanbook.cli import main
except ModuleNotFoundError:
    from without_environment import main

if __name__ == "__main__":
    sys.exit(main(["train-model", *sys.argv[1:]]))
