"""drgcore: CHS-DRG grouping and point-based payment."""

__version__ = "0.1.0"
