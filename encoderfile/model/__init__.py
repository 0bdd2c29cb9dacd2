"""Texts in, results out: pure, synchronous, batch by batch."""
