"""The commands, grouped by what people do with them; `schedules.cli` puts them together.

What takes long to import, such as all that matches, merges and runs, is imported inside of the
commands that need it, so that the others begin sooner. (pandas is no part of that: sqlite-utils
imports it where it is there.)
"""
