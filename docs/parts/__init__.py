"""The generated parts of the pages, a module for each kind of thing that the code declares."""
