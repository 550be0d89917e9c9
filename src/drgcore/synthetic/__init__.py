"""Synthetic cases, because real records cannot be published."""

from drgcore.synthetic.export import EXPORT_LAYOUTS, as_export, write_export
from drgcore.synthetic.sample import sample_cases, write_sample

__all__ = ["EXPORT_LAYOUTS", "as_export", "sample_cases", "write_export", "write_sample"]
