"""Readers: from the bytes of one page to records. They never crawl and never store."""
