"""Clips of video ⇄ archives."""
