"""spark-submit target of `loanbook build-features`."""

import sys

try:
    from loanbook.cli import main
except ModuleNotFoundError:
    from without_environment import main

if __name__ == "__main__":
    sys.exit(main(["build-features", *sys.argv[1:]]))
