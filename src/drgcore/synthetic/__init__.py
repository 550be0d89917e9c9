"""Synthetic cases, because real records cannot be published."""

from drgcore.synthetic.sample import sample_cases, write_sample

__all__ = ["sample_cases", "write_sample"]
