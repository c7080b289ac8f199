"""Recordings ⇄ archives."""
