"""What happens around every route: bodies, clients that leave, keys, failures nobody foresaw, traces."""
