"""What a run leaves to look at: curves, distributions, confusion matrix, tables, and N2D2's log files.

Every function is given arrays and records and writes files; none reads INI keys. matplotlib is imported when a
picture is made, not before.
"""
