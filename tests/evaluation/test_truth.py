from typing import Any

import numpy as np
import pandas as pd
import pytest

from loanbook.errors import InputError
from loanbook.evaluation.true_curves import compared_columns
from loanbook.evaluation.truth import TRUTH, require_same_book, truth_folder, with_truth
from loanbook.models.heads import head
from loanbook.simulate.identity import MANIFEST
from loanbook.warehouse.storage import write_json
from tests.evaluation.rows import made_up


def write_truth(folder, part, rows):
    """A truth as the simulator writes it: dictionary text, other months, null where not computed."""
    folder.mkdir(exist_ok=True)
    (folder / "README.txt").write_text("truth")
    frame = part.frame.loc[rows, ["loan_id", "as_of_date"]].assign(
        pd_12m_expected=np.linspace(0.01, 0.5, int(rows.sum())).astype(np.float32)
    )
    frame = frame.sample(frac=1, random_state=1).astype({"loan_id": "category"})
    frame.to_parquet(folder / "part-00000.parquet")
    nulls = part.frame[["loan_id", "as_of_date"]].assign(pd_12m_expected=np.float32("nan"))
    nulls["as_of_date"] = pd.Timestamp(2010, 1, 31).date()
    nulls.to_parquet(folder / "part-00001.parquet")
    frame[["loan_id", "as_of_date"]].assign(month=np.int16(1)).to_parquet(folder / "curve-00000.parquet")
    return frame.set_index(["loan_id", "as_of_date"])["pd_12m_expected"]


def test_truth_joins_the_same_rows(tmp_path):
    part = made_up(50)
    truth = write_truth(tmp_path / "truth", part, np.ones(150, bool))
    compared = with_truth(part, tmp_path / "truth")
    assert compared.coverage == 1
    keys = list(zip(part.frame["loan_id"], part.frame["as_of_date"], strict=True))
    assert compared.part.calibrated[TRUTH].tolist() == [truth[key] for key in keys]
    assert (compared.part.label == part.label).all()


def test_rows_without_a_truth_are_left_out_for_every_predictor(tmp_path):
    part = made_up(50)
    known = np.arange(150) % 3 > 0
    write_truth(tmp_path / "truth", part, known)
    compared = with_truth(part, tmp_path / "truth")
    assert compared.coverage == pytest.approx(2 / 3)
    assert {len(values) for values in compared.part.calibrated.values()} == {100}
    assert compared.part.calibrated["model"].tolist() == part.calibrated["model"][known].tolist()


def test_the_truth_of_another_book_is_refused(tmp_path, caplog):
    write_json(tmp_path / MANIFEST, {"tapes": {"historical_data_2012Q1.txt": "aa", "b.txt": "bb"}})
    require_same_book(tmp_path, [("historical_data_2012Q1.txt", "aa"), ("b.txt", "cc"), ("b.txt", "dd")])
    with pytest.raises(InputError, match=r"another simulated book \(b.txt is not the file ingested\)"):
        require_same_book(tmp_path, [("tape.zip/b.txt", "cc")])
    assert not caplog.records
    require_same_book(tmp_path, [("renamed.txt", "aa")])
    assert "none of its tapes was ingested by its name" in caplog.text
    (tmp_path / MANIFEST).unlink()
    require_same_book(tmp_path, [("b.txt", "cc")])
    assert "manifest.json is not there" in caplog.text


def test_a_truth_without_prepayment_is_refused_early_for_a_model_with_curves(tmp_path):
    write_truth(tmp_path, made_up(5), np.ones(15, bool))

    def checked(name: str) -> Any:
        return truth_folder(str(tmp_path), head(name), list, compared_columns(head(name)))

    assert checked("default_12m") == tmp_path
    with pytest.raises(InputError, match=r"(?s)no column prepayment_12m_expected.*simulate the book again"):
        checked("term_structure")
    (tmp_path / "part-00000.parquet").rename(tmp_path / "other.parquet")
    (tmp_path / "part-00001.parquet").unlink()
    with pytest.raises(InputError, match="no such file"):
        checked("default_12m")


@pytest.mark.parametrize("content", ["nothing", "another table"])
def test_a_folder_without_a_truth_is_refused(tmp_path, content):
    if content == "another table":
        pd.DataFrame({"loan_id": ["a"]}).to_parquet(tmp_path / "part-00000.parquet")
    with pytest.raises(InputError, match="pd_12m_expected"):
        with_truth(made_up(5), tmp_path)
