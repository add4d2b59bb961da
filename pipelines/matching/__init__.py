"""Matching: which listing is which film."""
