"""spark-submit target of `loanbook ingest-tapes`."""

import sys

try:
    from loanbook.cli import main
except ModuleNotFoundError:
    from without_environment import main

if __name__ == "__main__":
    sys.exit(main(["ingest-tapes", *sys.argv[1:]]))
