"""spark-submit target of `loanbook build-labels`."""

import sys

try:
    from loanbook.cli import main
except ModuleNotFoundError:
    from without_environment import main

if __name__ == "__main__":
    sys.exit(main(["build-labels", *sys.argv[1:]]))
