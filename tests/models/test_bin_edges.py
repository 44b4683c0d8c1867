import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from loanbook.models.inputs.bin_edges import bin_edges


@given(st.lists(st.integers(-30, 30) | st.floats(-5, 5), max_size=300), st.integers(1, 48))
def test_edges_ascend_from_the_least_to_the_greatest_and_are_values(found: list[float], bins: int) -> None:
    values = np.sort(np.array(found, np.float64))
    edges = bin_edges(values, bins)
    assert len(edges) <= bins + 1
    assert set(edges) <= set(values.tolist())
    assert list(edges) == sorted(set(edges))
    assert not values.size or (edges[0], edges[-1]) == (values[0], values[-1])
    if len(set(found)) <= bins + 1:
        assert list(edges) == sorted(set(values.tolist()))


def test_distinct_numbers_fill_their_bins_alike() -> None:
    values = np.sort(np.random.default_rng(1).normal(size=4800))
    counts, _ = np.histogram(values, bin_edges(values, 48))
    assert len(counts) == 48
    assert set(counts) <= {99, 100, 101}


def test_a_rare_count_keeps_its_high_numbers_apart() -> None:
    values = np.sort(np.concatenate([np.zeros(9000), np.random.default_rng(1).integers(1, 200, 1000)]))
    edges = bin_edges(values.astype(np.float64), 24)
    assert len(edges) in (24, 25)
    assert edges[0] == 0
    assert edges[12] < 110 < edges[15]  # half of the numbers above 0 are below 100
