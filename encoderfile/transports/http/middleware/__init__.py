"""What happens around every route: bodies, clients that leave, keys, unforeseen failures, traces."""
