"""spark-submit target of `loanbook erase-loan`."""

import sys

try:
    from loanbook.cli import main
except ModuleNotFoundError:
    from without_environment import main

if __name__ == "__main__":
    sys.exit(main(["erase-loan", *sys.argv[1:]]))
