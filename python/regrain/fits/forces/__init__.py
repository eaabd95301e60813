"""Force matching: one linear least-squares problem."""
