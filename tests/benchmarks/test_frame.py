import json

import pytest

from tests.benchmarks.frame import Result, median_ratio, paired, write


def test_sides_alternate_and_every_pair_has_both():
    order: list[str] = []
    runs = paired({"ours": lambda: order.append("ours"), "peer": lambda: order.append("peer")}, pairs=3)
    assert order == ["ours", "peer", "peer", "ours", "ours", "peer"]
    assert [run["side"] for run in runs] == order
    assert all(run["seconds"] >= 0 for run in runs)


def test_fewer_than_three_pairs_are_refused():
    with pytest.raises(ValueError, match="at least 3 pairs"):
        paired({"ours": list}, pairs=2)


def test_the_ratio_is_the_median_of_the_pairs_not_the_ratio_of_the_medians():
    figures = {"ours": [1.0, 10.0, 6.0], "peer": [2.0, 5.0, 6.0]}
    runs = [{"side": side, "pair": k, "seconds": x} for side, xs in figures.items() for k, x in enumerate(xs)]
    assert median_ratio(runs, "ours", "peer") == 1.0


def test_the_file_has_the_fields_that_readers_expect(tmp_path):
    path = write(
        Result("x", {"rows": 1}, [{"side": "ours", "pair": 0, "seconds": 1.0}], {"a": 1.0}, {"a": 2.0}),
        tmp_path,
    )
    content = json.loads(path.read_text())
    assert path.name == "x.json"
    assert set(content) == {"name", "machine", "work", "runs", "ratios", "targets"}
    assert set(content["machine"]) == {"cores", "memory_gib"}
