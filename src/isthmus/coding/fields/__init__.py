"""An array of numbers ⇄ bytes, each value predicted from its neighbours in all directions.

    array ⇄ units         scales.py: floats and integers ⇄ numbers in which one step is two bounds
    units ⇄ numbers       engine.py: predicted point by point, coarse to fine; what is left is coded
        which points when     walk.py
        from what             sight.py, with weights that fitting.py finds and the bytes carry
    numbers ⇄ bytes       ../numbers.py

The idea, level by level from coarse to fine, is SZ3's (Zhao and others, ICDE 2021).
docs/decisions/0010 says what was changed, and by how much it helped.
"""
