"""Particles: their state, their force fields, their dynamics."""

from regrain.particles.state import Particles, Topology

__all__ = ["Particles", "Topology"]
