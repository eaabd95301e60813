"""Partition functions as networks of tensors that are coarse-grained step by step."""
