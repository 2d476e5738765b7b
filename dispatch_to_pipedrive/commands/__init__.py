"""The shell's commands, one file for each part of the work; `cli` puts them together.

Dagster and the rooms are imported inside the commands, so that `--help` answers at once.
"""
