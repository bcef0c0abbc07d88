"""The README and the docs say what is so: their commands run, and nothing is left out."""
