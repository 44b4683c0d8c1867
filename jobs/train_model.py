"""spark-submit target of `loanbook train-model`."""

import sys

from loanbook.cli import main

if __name__ == "__main__":
    sys.exit(main(["train-model", *sys.argv[1:]]))
