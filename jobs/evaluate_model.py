"""spark-submit target of `loanbook evaluate-model`."""

import sys

try:
    from loanbook.cli import main
except ModuleNotFoundError:
    from without_environment import main

if __name__ == "__main__":
    sys.exit(main(["evaluate-model", *sys.argv[1:]]))
