"""HTTP: one file per dialect over the one service."""
