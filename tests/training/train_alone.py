"""Trains in this process alone, as ``python -m tests.training.train_alone REQUEST``; prints JSON."""

import json
import pickle
import sys
from pathlib import Path

from loanbook.training.fit.worker import train_rank

if __name__ == "__main__":
    request = pickle.loads(Path(sys.argv[1]).read_bytes())  # noqa: S301 - written by the test itself
    sys.stdout.write(json.dumps(train_rank(request)) + "\n")
