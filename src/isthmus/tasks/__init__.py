"""What people want done: each task is one function of (data, model, …) → a Result.

A Result is a frozen dataclass with `summary()`, one line for a terminal, and `to_dict()`, for JSON.
"""
