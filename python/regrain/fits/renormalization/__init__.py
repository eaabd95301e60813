"""Renormalisation of models whose couplings flow by formulas: chains, bonds, cells, fields."""
