"""All that is published of time series: `series-detect`, then `series-size`.

make bench NAME=series
"""

from __future__ import annotations

import series_detect
import series_size


def main() -> None:
    series_detect.main()
    series_size.main()


if __name__ == "__main__":
    main()
