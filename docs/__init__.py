"""The documentation: pages, and the script that fills in what the code declares."""
