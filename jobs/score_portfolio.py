"""spark-submit target of `loanbook score-portfolio`."""

import sys

from loanbook.cli import main

if __name__ == "__main__":
    sys.exit(main(["score-portfolio", *sys.argv[1:]]))
