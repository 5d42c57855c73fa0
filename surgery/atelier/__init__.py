"""The built-in model `atelier`: its pictures, its judge, how it was made, its weights."""
