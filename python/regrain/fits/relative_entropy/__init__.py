"""Relative entropy: Newton steps on reweighted coarse runs."""
