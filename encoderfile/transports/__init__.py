"""The ways in. Each ends at: decode, `await service.predict(...)`, encode, its one table over `Kind`."""
