from pathlib import Path

import numpy as np
import pandas as pd

from loanbook.settings.simulate import SimulationSettings
from loanbook.simulate.draws import generator
from loanbook.simulate.macro import onward, realised_macro, recession_months
from loanbook.simulate.regions import REGIONS

SETTINGS = SimulationSettings()


def test_the_file_covers_the_tapes_and_more(tiny: Path) -> None:
    macro = pd.read_csv(tiny / "macro" / "macro.csv")
    assert list(macro.columns) == ["region", "month", "series", "value"]
    assert not macro.duplicated(["region", "month", "series"]).any()
    assert macro["month"].min() <= "2006-01-01"
    assert macro["month"].max() == "2018-12-01"
    assert set(macro["region"]) == {"US"} | {region.code for region in REGIONS}
    assert set(macro.loc[macro["region"] == "US", "series"]) == {"unemployment", "hpi", "mortgage_rate"}
    assert macro.groupby(["region", "series"]).size().nunique() == 1


def test_recessions_raise_unemployment_and_lower_prices() -> None:
    macro = realised_macro(SETTINGS, 120, 7)
    national = np.array([state.unemployment[0] for state in macro.states])[macro.lead :]
    recession = np.flatnonzero(np.diff(recession_months(SETTINGS.macro, 120).astype(int)))
    for start, end in recession.reshape(2, 2):
        assert national[end] > national[start] + 2.5
        hpi = macro.hpi[macro.lead :].mean(axis=1)
        assert hpi[end + 6] < hpi[start] * 0.95
    assert 20 <= recession[0] <= 30
    assert 85 <= recession[2] <= 105


def test_paths_start_from_the_month_and_spread() -> None:
    macro = realised_macro(SETTINGS, 120, 7)
    paths = onward(SETTINGS.macro, macro.states[macro.lead + 60], 400, 12, generator(7, "test"))
    assert np.ptp(paths[0].rate) < 1.0
    assert abs(paths[0].rate.mean() - macro.rate[macro.lead + 60]) < 0.1
    entered = paths[-1].recession.mean()
    assert 0.05 < entered < 0.25
    assert paths[-1].unemployment[paths[-1].recession].mean() > paths[-1].unemployment.mean()
