"""Helpers that know nothing of the engine: arguments, files, states, printing and the palette."""
