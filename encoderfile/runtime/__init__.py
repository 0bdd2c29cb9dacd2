"""What runs inside the built file. Imports nothing of the builder."""
