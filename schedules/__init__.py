"""What starts work: the command line, a run, its crawls, the night."""

__version__ = "0.1.0"
