"""spark-submit target of `loanbook simulate-tapes`."""

import sys

try:
    from loanbook.cli import main
except ModuleNotFoundError:
    from without_environment import main

if __name__ == "__main__":
    sys.exit(main(["simulate-tapes", *sys.argv[1:]]))
