"""The INI language."""
