"""spark-submit target of `loanbook simulate-tapes`."""

import sys

from loanbook.cli import main

if __name__ == "__main__":
    sys.exit(main(["simulate-tapes", *sys.argv[1:]]))
