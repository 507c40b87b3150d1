"""How far people and the model agree in their grades."""
