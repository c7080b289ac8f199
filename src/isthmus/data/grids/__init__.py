"""Files of gridded arrays ⇄ variables and what is told of them; netCDF 3 and 4, zarr, xarray.

structure.py tells what netCDF says beside numbers; kinds.py what a variable is and how it is parted;
classic*.py netCDF 3, nested*.py netCDF 4, zarr*.py zarr; files.py finds the one that is needed.
"""

from isthmus.data.grids.files import Writer, grid_writer, lost, open_grid
from isthmus.data.grids.kinds import TEXT, Facts, Grids, Variable, is_grid

__all__ = ["TEXT", "Facts", "Grids", "Variable", "Writer", "grid_writer", "is_grid", "lost", "open_grid"]
