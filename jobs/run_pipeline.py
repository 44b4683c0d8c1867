"""spark-submit target of `loanbook run-pipeline`."""

import sys

from loanbook.cli import main

if __name__ == "__main__":
    sys.exit(main(["run-pipeline", *sys.argv[1:]]))
