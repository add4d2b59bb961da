"""How each site is asked and read. See `sources.py` for the list of sources."""
