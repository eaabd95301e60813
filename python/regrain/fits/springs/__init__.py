"""Elastic networks: springs from a structure or from fluctuations."""
