"""Progress bars."""

from .progress_bar import ProgressBar
from .rich_progress import RichProgressBar
from .tqdm_progress import TQDMProgressBar
