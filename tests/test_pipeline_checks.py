"""What the pipeline refuses before its first job."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from loanbook.errors import InputError
from loanbook.pipeline import run_pipeline
from loanbook.settings.settings import load_settings

OTHERS = dict.fromkeys(("tapes", "delivered_at", "macro", "macro_source", "workers"))


@pytest.mark.parametrize(("model", "setting"), [("default_24m", "tabm"), (None, "default_6m")])
def test_an_architecture_whose_scores_cannot_be_the_books_is_refused(
    tmp_path: Path, model: str | None, setting: str
) -> None:
    run: Any = SimpleNamespace(
        settings=load_settings("local", [f"paths.warehouse={tmp_path}", f"train.model={setting}"]),
        source=None,
    )
    with pytest.raises(InputError, match=f"(?s){model or setting}, of default within.*challenger"):
        run_pipeline(run, simulate="tiny", model=model, scope="full", **OTHERS)
