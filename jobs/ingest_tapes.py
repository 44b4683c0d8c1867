"""spark-submit target of `loanbook ingest-tapes`."""

import sys

from loanbook.cli import main

if __name__ == "__main__":
    sys.exit(main(["ingest-tapes", *sys.argv[1:]]))
