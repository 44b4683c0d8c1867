"""Which version of a table readers see, by what its log says of the commits since the published one."""

import json
from pathlib import Path

import pytest

from loanbook.errors import InputError, LoanbookError
from loanbook.warehouse.commit_log import commits_in_folder
from loanbook.warehouse.visible_version import Commit, commit_of, require_own, require_settled, standing

MOVED, OURS, FOREIGN = (False, None), (True, "run-9"), (True, None)


def commits(*kinds: tuple[bool, str | None]) -> list[Commit]:
    return [Commit(4 + k, run_id, changes) for k, (changes, run_id) in enumerate(kinds)]


@pytest.mark.parametrize(
    ("kinds", "version", "unpublished", "foreign"),
    [
        ([], 3, [], []),
        ([MOVED, MOVED], 5, [], []),
        ([OURS], 3, [4], []),
        ([MOVED, OURS, MOVED, OURS], 4, [5, 7], []),
        ([MOVED, FOREIGN, OURS], 4, [5, 6], [5]),
    ],
)
def test_commits_that_move_rows_are_followed_up_to_the_first_that_changes_some(
    kinds, version, unpublished, foreign
):
    found = standing("scores", 3, commits(*kinds))
    assert found.version == version
    assert found.latest == 3 + len(kinds)
    assert [commit.version for commit in found.unpublished] == unpublished
    assert [commit.version for commit in found.foreign] == foreign


def test_a_log_that_has_lost_a_commit_is_named_with_the_repair():
    with pytest.raises(InputError, match=r"(?s)scores at version 3.*begins with version 5.*--take"):
        standing("scores", 3, commits(MOVED, MOVED)[1:])


def test_a_table_that_another_program_changed_is_not_written():
    require_settled("scores", standing("scores", 3, commits(OURS, MOVED)))
    with pytest.raises(InputError, match=r"version 5 \(unknown by an unknown engine\)"):
        require_settled("scores", standing("scores", 3, commits(OURS, FOREIGN)))


def test_a_change_beside_the_run_is_found_and_its_own_commits_and_moves_are_not():
    require_own("scores", "run-9", commits(OURS, MOVED, OURS))
    with pytest.raises(LoanbookError, match="version 5"):
        require_own("scores", "run-9", commits(OURS, (True, "run-8")))


def test_the_log_is_read_without_a_jvm_in_the_order_of_its_versions(tmp_path: Path):
    folder = tmp_path / "_delta_log"
    folder.mkdir()
    info = {
        "operation": "WRITE", "timestamp": 1_700_000_000_000, "engineInfo": "E",
        "userMetadata": json.dumps({"run_id": "run-1"}),
    }  # fmt: skip
    write = [{"commitInfo": info}, {"add": {"path": "a", "dataChange": True}}]
    moved = [{"remove": {"path": "a", "dataChange": False}}, {"commitInfo": {"userMetadata": "nightly"}}]
    for version, actions in ((10, moved), (2, write), (1, moved)):
        text = "\n".join(map(json.dumps, actions))
        (folder / f"{version:020d}.json").write_text(text + "\n")
    (folder / "00000000000000000002.checkpoint.parquet").write_bytes(b"")
    found = [commit_of(*each) for each in commits_in_folder(tmp_path, 1)]
    assert [(commit.version, commit.run_id, commit.changes_rows) for commit in found] == [
        (2, "run-1", True),
        (10, None, False),
    ]
    assert str(found[0]) == "version 2 (WRITE at 2023-11-14 22:13 UTC by run-1)"
