"""Integers and matrices in, matrices out: settings, weights, sessions, and the compiled kernel."""
