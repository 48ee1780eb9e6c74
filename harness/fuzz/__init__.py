"""Fuzzing: random programs, and all small ones, held against every side that there is."""
