"""The states of the simulated book."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Region:
    """A state: its share of loans, macro betas to the country, price level and masked postal codes."""

    code: str
    share: float
    hpi_beta: float
    unemployment_beta: float
    unemployment_offset: float  # points above the country's at its floor
    price: float  # loan size relative to the country's
    zip3: tuple[str, ...]
    msa: str


REGIONS = (
    Region("AZ", 0.04, 1.6, 1.10, 0.2, 0.95, ("850", "852", "857"), "38060"),
    Region("CA", 0.13, 1.6, 1.15, 0.5, 1.50, ("900", "921", "945", "956"), "31080"),
    Region("CO", 0.05, 0.8, 0.80, -0.5, 1.20, ("800", "802"), "19740"),
    Region("FL", 0.09, 1.7, 1.20, 0.0, 0.95, ("321", "328", "331", "336"), "33100"),
    Region("GA", 0.05, 1.1, 1.05, 0.1, 0.90, ("300", "303"), "12060"),
    Region("IL", 0.06, 1.0, 1.10, 0.3, 0.95, ("600", "606", "617"), "16980"),
    Region("MI", 0.04, 1.2, 1.40, 0.6, 0.75, ("480", "482", "495"), "19820"),
    Region("MN", 0.04, 0.9, 0.80, -0.4, 0.95, ("550", "554"), "33460"),
    Region("NC", 0.05, 0.7, 1.00, 0.0, 0.90, ("272", "280", "286"), "16740"),
    Region("NJ", 0.04, 0.9, 1.00, 0.1, 1.20, ("070", "080"), "35620"),
    Region("NV", 0.03, 1.9, 1.40, 0.6, 1.00, ("890", "891", "895"), "29820"),
    Region("NY", 0.07, 0.8, 0.90, 0.0, 1.35, ("104", "112", "142"), "35620"),
    Region("OH", 0.06, 0.7, 1.05, 0.2, 0.70, ("432", "441", "452"), "17460"),
    Region("PA", 0.06, 0.6, 0.90, 0.1, 0.80, ("151", "174", "191"), "37980"),
    Region("TX", 0.10, 0.5, 0.70, -0.2, 0.90, ("750", "770", "782", "787"), "19100"),
    Region("VA", 0.04, 0.8, 0.70, -0.6, 1.20, ("201", "220", "232"), "47900"),
    Region("WA", 0.05, 1.1, 0.95, 0.2, 1.30, ("980", "984"), "42660"),
)
HPI_BETA = np.array([region.hpi_beta for region in REGIONS])
UNEMPLOYMENT_BETA = np.array([region.unemployment_beta for region in REGIONS])
UNEMPLOYMENT_OFFSET = np.array([region.unemployment_offset for region in REGIONS])
