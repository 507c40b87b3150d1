"""Measure how far people and the model agree in their grades."""
