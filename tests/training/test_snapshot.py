import json
from pathlib import Path

import pytest

from loanbook.errors import InputError
from loanbook.training.snapshot.read import Snapshot
from tests.models.specs import SPEC


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "null", None])
@pytest.mark.parametrize("part", ["manifest", "spec", "splits"])
def test_an_altered_snapshot_is_refused_by_its_file(tmp_path: Path, part: str, content: str | None) -> None:
    snapshot = Snapshot(tmp_path)
    if content is not None:
        (tmp_path / f"{part}.json").write_text(content)
    with pytest.raises(InputError, match=f"(?s){part}.json"):
        getattr(snapshot, part)


def test_a_whole_snapshot_is_read(tmp_path: Path) -> None:
    (tmp_path / "spec.json").write_text(SPEC.model_dump_json())
    (tmp_path / "splits.json").write_text(json.dumps({"folds": [], "trained_fold": "f"}))
    snapshot = Snapshot(tmp_path)
    assert snapshot.spec == SPEC
    assert snapshot.splits["trained_fold"] == "f"
