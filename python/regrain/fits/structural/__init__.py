"""Fits of distributions: the loop of coarse runs, and the methods that are updates of it."""
