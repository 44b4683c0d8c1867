"""How good the probabilities are: metrics, calibration, plots and the report."""
