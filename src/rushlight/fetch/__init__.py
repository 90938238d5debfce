"""Files from elsewhere: downloads that are whole or not there, and archives that stay in a folder.

Example:
    >>> from rushlight import fetch
    >>> fetch.cache_folder().name
    'rushlight'
"""

from .archive import extract
from .checksum import digest, intact
from .download import download
from .fault import FetchError, FormatError, Undelivered
from .idx import read_idx
from .place import cache_folder

__all__ = [
    "FetchError", "FormatError", "Undelivered", "cache_folder", "digest", "download", "extract",
    "intact", "read_idx",
]  # fmt: skip
