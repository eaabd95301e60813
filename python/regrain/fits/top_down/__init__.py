"""Parameters of models from what is known of observables."""
