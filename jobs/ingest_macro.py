"""spark-submit target of `loanbook ingest-macro`."""

import sys

from loanbook.cli import main

if __name__ == "__main__":
    sys.exit(main(["ingest-macro", *sys.argv[1:]]))
