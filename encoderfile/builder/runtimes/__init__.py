"""Frozen runtimes, which a build puts into every file: made here, kept, taken elsewhere, and fetched again."""
