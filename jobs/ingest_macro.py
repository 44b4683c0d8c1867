"""spark-submit target of `loanbook ingest-macro`."""

import sys

try:
    from loanbook.cli import main
except ModuleNotFoundError:
    from without_environment import main

if __name__ == "__main__":
    sys.exit(main(["ingest-macro", *sys.argv[1:]]))
