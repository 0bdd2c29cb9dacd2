"""From a model folder to one executable. Nothing in here is part of the executable itself."""
