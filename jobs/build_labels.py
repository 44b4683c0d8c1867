"""spark-submit target of `loanbook build-labels`."""

import sys

from loanbook.cli import main

if __name__ == "__main__":
    sys.exit(main(["build-labels", *sys.argv[1:]]))
