"""What a model is: its inputs, layers, calibration and saved artefact."""
