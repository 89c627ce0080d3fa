"""Write the files into a folder."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.bad_images import bad_images


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for bad in bad_images():
        (folder / bad.name).write_bytes(bad.data)
        count += 1
    print(f"{count} files in {folder}")


if __name__ == "__main__":
    main()
