"""Transforms: scripts in Lua that change the graph's output before results are made of it, in a sandbox."""
