"""Age and remaining term of a snapshot's rows, whether or not the model takes them."""

import numpy as np
import pandas as pd

from loanbook.features.catalogue.registry import FEATURES
from loanbook.models.inputs.spec import InputSpec
from loanbook.training.snapshot.predicted import AGE, TERM, number_of
from tests.tiny_book import SPEC, number


def test_the_age_is_the_feature_of_that_name() -> None:
    assert {AGE, TERM} <= {feature.name for feature in FEATURES}
    aged = InputSpec(numeric=(*SPEC.numeric, number(AGE)), categorical=())
    frame = pd.DataFrame({"x_months_on_book": np.array([3, np.nan], np.float32), "x_ltv": [1.0, 2.0]})
    np.testing.assert_array_equal(number_of(frame, aged, AGE), [3, np.nan])


def test_of_a_spec_without_it_no_age_is_known() -> None:
    assert np.isnan(number_of(pd.DataFrame({"x_ltv": [1.0, 2.0]}), SPEC, AGE)).tolist() == [True, True]
