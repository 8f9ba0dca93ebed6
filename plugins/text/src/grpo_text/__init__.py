"""Comparators of texts: exact, normalised, multiple choice, contains, token F1, regex."""
