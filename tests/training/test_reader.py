from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from loanbook.errors import LoanbookError
from loanbook.training.snapshot.read import Snapshot

# The module's own filters do not hold under pytest, which resets them for every test.
pytestmark = [pytest.mark.train, pytest.mark.filterwarnings("ignore::FutureWarning")]


def read(
    snapshot: Snapshot,
    *,
    rank: int,
    epoch: int,
    size: int = 2,
    batch: int = 100,
    member: int = 0,
    kept: bool = True,
    taught: Any = None,
) -> list[Any]:
    from loanbook.training.fit.feed import RankRows, feed_of
    from loanbook.training.fit.reader import Columns

    fitted = snapshot.fold.members[member]
    rows = RankRows(
        snapshot.training_files(fitted, size)[rank::size],
        snapshot.folder,
        Columns.of(snapshot.spec, snapshot.targets),
        rows=snapshot.rows_fitted(fitted, size) // size,
        batch=batch,
        seed=1,
        rank=rank,
        taught=taught,
    )
    with feed_of(rows, rows.mib if kept else 0).epoch(epoch) as batches:
        return [[tensor.numpy() for tensor in parts] for parts in batches]


def stacked(batches: list[Any]) -> Any:
    return np.column_stack([np.concatenate([parts[number] for parts in batches]) for number in range(4)])


def in_order(rows: Any) -> Any:
    return rows[np.lexsort(rows.T)]


def test_two_ranks_read_every_row_once_and_equally_many(snapshot: Snapshot) -> None:
    first, second = (read(snapshot, rank=rank, epoch=1) for rank in (0, 1))
    assert [len(parts[2]) for parts in first] == [len(parts[2]) for parts in second]
    assert {len(parts[2]) for parts in first[:-1]} == {100}
    rows = np.concatenate([stacked(first), stacked(second)])
    frame = snapshot.role_frame("train").head(snapshot.rows_fitted(snapshot.fold.members[0], 2))
    columns = [*snapshot.spec.numeric_columns, *snapshot.spec.code_columns, "label", "weight"]
    np.testing.assert_array_equal(in_order(rows), in_order(frame[columns].to_numpy(np.float64)))


def test_a_member_reads_all_whole_groups_but_those_of_its_own_part(crossed: Snapshot) -> None:
    member = crossed.fold.members[1]
    rows = np.concatenate([stacked(read(crossed, rank=rank, epoch=1, member=1)) for rank in (0, 1)])
    assert len(rows) == crossed.rows_fitted(member, 2)
    columns = [*crossed.spec.numeric_columns, *crossed.spec.code_columns, "label", "weight"]
    fitted = {tuple(row) for row in crossed.frame(member.train)[columns].fillna(-1).to_numpy(np.float64)}
    own = {tuple(row) for row in crossed.role_frame(member.tune)[columns].fillna(-1).to_numpy(np.float64)}
    found = {tuple(row) for row in np.nan_to_num(rows, nan=-1.0)}
    assert found <= fitted
    assert not found & own
    assert len(found) > 0.95 * len(fitted)


def test_order_follows_from_seed_and_epoch(snapshot: Snapshot) -> None:
    first = stacked(read(snapshot, rank=0, epoch=1))
    np.testing.assert_array_equal(stacked(read(snapshot, rank=0, epoch=1)), first)
    other = stacked(read(snapshot, rank=0, epoch=2))
    assert not np.array_equal(other, first)
    np.testing.assert_array_equal(in_order(other), in_order(first))


@pytest.mark.parametrize("epoch", [1, 2])
def test_rows_in_memory_come_in_the_order_of_rows_that_are_read_anew(crossed: Snapshot, epoch: int) -> None:
    from_memory, anew = (read(crossed, rank=1, epoch=epoch, kept=kept) for kept in (True, False))
    assert len(from_memory) == len(anew)
    for one, other in zip(from_memory, anew, strict=True):
        for ours, theirs in zip(one, other, strict=True):
            np.testing.assert_array_equal(ours, theirs)
            assert ours.dtype == theirs.dtype


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "streamed"])
def test_what_is_taught_stands_beside_its_own_row(crossed: Snapshot, kept: bool) -> None:
    files = crossed.training_files(crossed.fold.members[1], 2)
    taught = {file: pq.read_table(file, columns=["x_balance"])["x_balance"].to_numpy() for file in files}
    place = crossed.spec.numeric_columns.index("x_balance")
    for rank in (0, 1):
        batches = read(crossed, rank=rank, epoch=2, member=1, kept=kept, taught=taught)
        assert len(batches) > 3
        for numeric, _, targets, _ in batches:
            np.testing.assert_array_equal(targets, numeric[:, [place]])


def test_files_of_other_rows_than_expected_are_refused(snapshot: Snapshot) -> None:
    from loanbook.training.fit.feed import Kept, RankRows
    from loanbook.training.fit.reader import Columns

    files = snapshot.training_files(snapshot.fold.members[0], 2)
    rows = len(files) * (snapshot.manifest["train"]["rows_of_group"] + 1)
    columns = Columns.of(snapshot.spec, snapshot.targets)
    with pytest.raises(LoanbookError, match=f"has {rows // len(files) - 1} rows of {rows // len(files)}"):
        Kept(RankRows(files, snapshot.folder, columns, rows=rows, batch=9, seed=1, rank=0))
