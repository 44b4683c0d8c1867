"""What all loans of a book share and nothing shows: an autoregressive factor in their log odds.

Loans that share an unobserved factor default together more than borrowers and macro explain (Duffie, Eckner,
Horel and Saita 2009, "Frailty Correlated Default"). Each month it is y' = persistence * y + noise.
"""

from dataclasses import dataclass, replace

import numpy as np

from loanbook.settings.simulate import HiddenSettings
from loanbook.simulate.draws import Array, generator

NOTHING_HIDDEN = HiddenSettings()


@dataclass(frozen=True)
class Frailty:
    """The factor on the realised path, in log odds of current -> dpd30.

    Attributes:
        persistence: share that stays from month to month.
        noise: standard deviation of a month's shock.
        realised: by month, as the macro's arrays are, (M,).
    """

    persistence: float
    noise: float
    realised: Array

    def onward(self, month: int, paths: int, steps: int, rng: np.random.Generator) -> Array:
        """Return the factor on ``paths`` paths, from its realised value in a month on, (steps + 1, paths).

        >>> off = Frailty(0.98, 0.0, np.zeros(5))
        >>> off.onward(2, 3, 1, generator(7, "example")).tolist()
        [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
        """
        shocks = self.noise * rng.standard_normal((steps, paths))
        values = [np.full(paths, self.realised[month])]
        for shock in shocks:
            values.append(self.persistence * values[-1] + shock)
        return np.stack(values)

    def run_on(self, steps: int, rng: np.random.Generator) -> "Frailty":
        """Return the factor with ``steps`` more months of its realised path."""
        more = self.onward(len(self.realised) - 1, 1, steps, rng)[1:, 0]
        return replace(self, realised=np.concatenate([self.realised, more]))


def realised_frailty(hidden: HiddenSettings, months: int, seed: int) -> Frailty:
    """Return the factor on the realised path, drawn from its long-run distribution on.

    Args:
        hidden: its parameters.
        months: how many.
        seed: of every draw.

    >>> bool(realised_frailty(NOTHING_HIDDEN, 3, seed=7).realised.any())
    False
    """
    rng = generator(seed, "frailty")
    spread = hidden.frailty / np.sqrt(1 - hidden.persistence**2)
    start = Frailty(hidden.persistence, hidden.frailty, spread * rng.standard_normal(1))
    return start.run_on(months - 1, rng)
