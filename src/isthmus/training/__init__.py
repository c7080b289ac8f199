"""Samples → trained weights: the objective, the plan, the loop, and what makes it resumable.

accelerate is known only here; it brings devices, mixed precision and several processes.
"""

CHECKPOINT = "checkpoint.safetensors"
"""Name of the checkpoint in the folder of a run."""
