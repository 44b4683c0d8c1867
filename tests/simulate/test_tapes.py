from pathlib import Path

import pandas as pd
import pytest

EXITS = {"01", "02", "03", "06", "09", "15", "16", "96"}


def lines(tiny: Path, kind: str) -> pd.DataFrame:
    pattern = "historical_data_time_*.txt" if kind == "time" else "historical_data_[0-9]*.txt"
    files = sorted((tiny / "tapes").glob(pattern))
    rows = [line.split("|") for file in files for line in file.read_text("utf-8").splitlines()]
    assert {len(row) for row in rows} == {32}
    return pd.DataFrame(rows, columns=range(1, 33))


@pytest.fixture(scope="module")
def originations(tiny: Path) -> pd.DataFrame:
    return lines(tiny, "origination")


@pytest.fixture(scope="module")
def performance(tiny: Path) -> pd.DataFrame:
    return lines(tiny, "time")


def test_origination_codes(originations: pd.DataFrame) -> None:
    o = originations
    assert o[20].is_unique
    assert set(o[3]) <= {"Y", "N", "9"}
    assert set(o[8]) <= {"P", "I", "S", "9"}
    assert set(o[14]) <= {"R", "B", "C", "T", "9"}
    assert set(o[21]) <= {"P", "C", "N", "9"}
    assert set(o[16]) == {"FRM"}
    assert o[6].str.fullmatch(r"\d{3}").all()
    assert o[13].str.fullmatch(r"\d+\.\d{3}").all()
    assert o[20].str.fullmatch(r"F\d\dQ[1-4]\d{7}").all()
    assert o[19].str.fullmatch(r"(\d{3}00)?").all()


def test_origination_sentinels(originations: pd.DataFrame) -> None:
    assert (originations[1] == "9999").any()
    assert (originations[10] == "999").any()
    assert originations.loc[originations[1] != "9999", 1].astype(int).between(300, 850).all()


def test_the_file_of_a_loan_is_its_vintage(tiny: Path, originations: pd.DataFrame) -> None:
    for file in (tiny / "tapes").glob("historical_data_*.txt"):
        vintage = file.stem.rsplit("_", 1)[1]
        for line in file.read_text("utf-8").splitlines():
            loan = line.split("|")[0 if "time" in file.stem else 19]
            assert loan.startswith(f"F{vintage[2:4]}{vintage[4:]}")


def test_dates_follow_the_published_lines(originations: pd.DataFrame, performance: pd.DataFrame) -> None:
    first = performance[performance[5] == "000"].merge(originations, left_on=1, right_on=20)
    shown, due = (pd.PeriodIndex(first[column], freq="M") for column in ("2_x", "2_y"))
    assert ((due.asi8 - shown.asi8) == 1).all()
    assert (first["6_x"] == first["22_y"]).all()


def test_performance_codes(performance: pd.DataFrame) -> None:
    p = performance
    assert p[4].str.fullmatch(r"(\d{1,3}|RA)?").all()
    assert (p[4] == "").any()
    assert (p[4] == "RA").any()
    assert set(p[8]) == {"", "Y", "P"}
    assert set(p[9]) - {""} <= EXITS
    assert {"01", "09", "03"} <= set(p[9])
    assert p[3].str.fullmatch(r"\d+\.\d\d").all()
    assert p[32].str.fullmatch(r"\d+\.\d\d").all()


def test_nothing_follows_an_exit(performance: pd.DataFrame) -> None:
    last = ~performance.duplicated(1, keep="last")
    assert last[performance[9] != ""].all()
    gone = performance[performance[9] != ""]
    assert (gone[3] == "0.00").all()
    assert (gone[10] == gone[2]).all()
    assert (gone[27].astype(float) > 0).all()


def test_losses_only_with_a_loss_exit(performance: pd.DataFrame) -> None:
    lost = performance[9].isin(["02", "03", "09", "15"])
    assert (performance.loc[lost, [13, 15, 17, 22, 28]] != "").all(axis=None)
    assert (performance.loc[~lost, list(range(13, 23))] == "").all(axis=None)
    parts = performance.loc[lost, [18, 19, 20, 21]].astype(float).sum(axis=1)
    assert (parts - performance.loc[lost, 17].astype(float)).abs().max() < 0.05
    assert (performance.loc[performance[9] == "96", 7] != "").all()


def test_balances_fall_unless_modified(performance: pd.DataFrame) -> None:
    p = performance[(performance[5].astype(int) >= 6) & (performance[9] == "")]
    upb = p[3].astype(float)
    before = upb.groupby(p[1]).shift()
    rose = upb > before + 0.01
    assert rose.any()
    flag_before = p.groupby(1)[8].shift()
    hidden = (p[8] == "P") & (flag_before == "")  # the month of the modification is in a gap
    assert ((p[8] == "Y") | hidden)[rose].all()


def test_gaps(performance: pd.DataFrame) -> None:
    month = pd.PeriodIndex(performance[2], freq="M").asi8
    step = pd.Series(month).groupby(performance[1].to_numpy()).diff().dropna()
    assert (step >= 1).all()
    missing = (step - 1).sum() / (len(performance) + (step - 1).sum())
    assert 0.005 < missing < 0.02


def test_field_positions_match_the_genuine_lines(shared_data: Path, tiny: Path) -> None:
    for kind, pattern in (("orig", "historical_data_[0-9]*.txt"), ("perf", "historical_data_time_*.txt")):
        genuine = (shared_data / "native_lines" / f"freddie_mac_{kind}_32_fields.txt").read_text("utf-8")
        made = [line.split("|") for file in (tiny / "tapes").glob(pattern) for line in file.open()]
        for line in genuine.splitlines():
            blank = [value == "" for value in line.split("|")]
            assert any([value.strip() == "" for value in row] == blank for row in made)
