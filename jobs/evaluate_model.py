"""spark-submit target of `loanbook evaluate-model`."""

import sys

from loanbook.cli import main

if __name__ == "__main__":
    sys.exit(main(["evaluate-model", *sys.argv[1:]]))
