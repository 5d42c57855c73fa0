"""Judges as verify uses them: they read sets of pictures and say what is seen."""
