"""Simple forms of bonded potentials by maximum likelihood."""
