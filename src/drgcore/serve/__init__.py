"""The workbench in the browser and its API (extra `serve`), and tools for assistants (`mcp`)."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
