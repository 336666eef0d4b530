"""Analyses and findings as text. The only room that draws with rich."""
