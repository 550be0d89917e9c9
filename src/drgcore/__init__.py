"""drgcore: CHS-DRG grouping and point-based payment for China's health security funds.

The public names stand in `__init__.pyi`, where type checkers read them; each is imported with its
first use.
"""

import lazy_loader

# Errors are there at once, so that they can be caught without importing a room.
from drgcore.errors import BudgetError as BudgetError
from drgcore.errors import CaseSchemaError as CaseSchemaError
from drgcore.errors import DrgcoreError as DrgcoreError
from drgcore.errors import PolicyError as PolicyError
from drgcore.errors import RuleSyntaxError as RuleSyntaxError
from drgcore.errors import SchemeError as SchemeError
from drgcore.errors import UnfinishedError as UnfinishedError

__version__ = "0.2.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
