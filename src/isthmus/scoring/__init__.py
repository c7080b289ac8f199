"""How odd: distances from what is usual, made comparable, and turned into probabilities of a false alarm.

NumPy alone; the same code calibrates when a detector is fitted and judges when it is used.
"""
