"""The panel: the engine's input frames, rows and files."""
