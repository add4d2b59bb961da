"""How fast afterscore reads and crawls, and how much memory that takes: `make bench`."""
