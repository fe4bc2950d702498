"""The function that carries clicks from Tokyo's stream to Oregon's."""
