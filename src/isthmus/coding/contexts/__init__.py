"""Images of integers ⇄ bytes, by what was learned from images of their kind: lossless.

Each pixel is found by a search: is it greater than this, than that …? Each question is coded with
the probability that a forest of small trees gives it from pixels already known. There is no net on
this path: integers are compared, and tables looked up and added.

    images ⇄ padded planes, visited in wavefronts    scan.py
    a wavefront's neighbourhoods → features          features.py
    features → probability of "greater"              forest.py
    pixel ⇄ answers, step by step                    search.py
    images ⇄ bytes                                   walk.py, by what a Contexts (artefact.py) holds
"""

from isthmus.coding.contexts.artefact import Contexts, Plane

__all__ = ["Contexts", "Plane"]
