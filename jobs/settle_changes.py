"""spark-submit target of `loanbook settle-changes`."""

import sys

try:
    from loanbook.cli import main
except ModuleNotFoundError:
    from without_environment import main

if __name__ == "__main__":
    sys.exit(main(["settle-changes", *sys.argv[1:]]))
