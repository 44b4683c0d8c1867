"""spark-submit target of `loanbook build-features`."""

import sys

from loanbook.cli import main

if __name__ == "__main__":
    sys.exit(main(["build-features", *sys.argv[1:]]))
