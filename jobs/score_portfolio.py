"""spark-submit target of `loanbook score-portfolio`."""

import sys

try:
    from loanbook.cli import main
except ModuleNotFoundError:
    from without_environment import main

if __name__ == "__main__":
    sys.exit(main(["score-portfolio", *sys.argv[1:]]))
