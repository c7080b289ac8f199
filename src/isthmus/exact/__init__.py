"""A net half as a list of operations, carried out in integers (the same bits everywhere) or in float32.

`ops` says what an operation is, `program` puts them together with weights, `numpy_runner` carries
them out; `torch_runner` gives the same bits with PyTorch. How: docs/decisions/0009.
"""
